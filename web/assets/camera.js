// A photo by the device's camera, in a dialog. The stream ends with the dialog.
import { h } from "./dom.js";

const REASONS = {
  NotAllowedError: "The browser was not allowed to use the camera. Allow it in the address bar, then try again.",
  NotFoundError: "No camera was found on this device.",
  NotReadableError: "Another program uses the camera.",
};

/** The photo as a File, or null when the dialog was closed. */
export function takePhoto() {
  const video = h("video", { autoplay: true, muted: true, playsInline: true, "aria-label": "What the camera sees" });
  const reason = h("p", { className: "muted", role: "alert" });
  const shoot = h("button", { type: "button", className: "button primary", disabled: true }, "Take photo");
  const dialog = h(
    "dialog",
    { className: "camera", "aria-labelledby": "camera-title" },
    h("h2", { id: "camera-title" }, "Take a photo"),
    video,
    reason,
    h(
      "div",
      { className: "dialog-actions" },
      h("button", { type: "button", className: "button", onclick: () => dialog.close() }, "Cancel"),
      shoot,
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    let [stream, photo, open] = [null, null, true];
    navigator.mediaDevices
      .getUserMedia({ video: { facingMode: "environment", width: { ideal: 3840 }, height: { ideal: 2160 } } })
      .then(
        (live) => {
          stream = live;
          if (!open) return end(live);
          video.srcObject = live;
          video.addEventListener(
            "loadeddata",
            () => {
              shoot.disabled = false;
            },
            { once: true },
          );
          return undefined;
        },
        (error) => {
          reason.textContent = REASONS[error.name] ?? "The camera cannot be used.";
          video.hidden = true;
        },
      );
    shoot.addEventListener("click", async () => {
      photo = await frameOf(video);
      dialog.close();
    });
    dialog.addEventListener("close", () => {
      open = false;
      if (stream) end(stream);
      dialog.remove();
      resolve(photo);
    });
  });
}

const end = (stream) => stream.getTracks().forEach((track) => track.stop());

async function frameOf(video) {
  const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
  canvas.getContext("2d").drawImage(video, 0, 0);
  return new File([await canvas.convertToBlob({ type: "image/jpeg", quality: 0.95 })], "camera.jpg", {
    type: "image/jpeg",
  });
}
