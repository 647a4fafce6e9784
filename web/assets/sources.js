// Where photos come from: picked, dropped anywhere, pasted, taken by the camera, or a sample of this server.
import { addresses } from "./address.js";
import { takePhoto } from "./camera.js";
import { byId, h } from "./dom.js";

const SAMPLES = [
  ["chelsea", "a cat"],
  ["astronaut", "an astronaut"],
  ["coffee", "a cup of coffee"],
];

/** Calls `open(files)` with what comes in. */
export function sources(open) {
  const input = byId("file-input");
  byId("pick").addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    open([...input.files]);
    input.value = "";
  });
  camera(open);
  addresses(open);
  dropping(open);
  addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])].filter((file) => file.type.startsWith("image/"));
    if (files.length) {
      event.preventDefault();
      open(files);
    }
  });
  byId("samples").replaceChildren(
    ...SAMPLES.map(([name, label]) =>
      h(
        "button",
        {
          type: "button",
          className: "sample",
          "aria-label": `Sample: ${label}`,
          onclick: async () => open([await sample(name)]),
        },
        h("img", { src: `assets/sample-${name}.avif`, alt: "", width: 64, height: 64 }),
      ),
    ),
  );
}

async function sample(name) {
  const response = await fetch(`samples/${name}.jpg`);
  return new File([await response.blob()], `${name}.jpg`, { type: "image/jpeg" });
}

function camera(open) {
  const button = byId("camera-open");
  button.hidden = !navigator.mediaDevices?.getUserMedia;
  button.addEventListener("click", async () => {
    const photo = await takePhoto();
    if (photo) open([photo]);
  });
}

function dropping(open) {
  let depth = 0;
  const carries = (event) => event.dataTransfer?.types.includes("Files");
  const veil = (shown) => byId("drop-veil").toggleAttribute("data-shown", shown);
  addEventListener("dragenter", (event) => {
    if (carries(event)) {
      depth++;
      veil(true);
    }
  });
  addEventListener("dragleave", (event) => {
    if (carries(event) && --depth <= 0) {
      depth = 0;
      veil(false);
    }
  });
  addEventListener("dragover", (event) => {
    if (carries(event)) event.preventDefault();
  });
  addEventListener("drop", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    depth = 0;
    veil(false);
    location.hash = "playground";
    open([...event.dataTransfer.files]);
  });
}
