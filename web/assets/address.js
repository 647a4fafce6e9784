// A photo from an address. The service fetches it, since the page itself may ask no other host for anything.
import { send } from "./api.js";
import { announce, byId } from "./dom.js";
import { showProblem, words } from "./words.js";

/** Makes the form of the start page call `open([file])` with the photo behind the address. */
export function addresses(open) {
  const form = byId("address");
  const input = byId("address-url");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    showProblem(byId("address-problem"), null);
    announce("Fetching the photo");
    try {
      open([await photo(input.value.trim())]);
      input.value = "";
    } catch (error) {
      showProblem(byId("address-problem"), error);
      announce(words(error)[0]);
    } finally {
      button.disabled = false;
    }
  });
}

/** The photo as it is: with `own_alpha=keep` its own transparency is the mask, and no model is asked. */
async function photo(url) {
  const form = new FormData();
  form.append("image_url", url);
  form.append("own_alpha", "keep");
  const response = await send("POST", "/v2", { body: form, headers: { accept: "image/*" } });
  const name = decodeURIComponent(new URL(url).pathname.split("/").pop() || "photo").replace(/\.\w+$/, "");
  return new File([await response.blob()], `${name}.png`, { type: "image/png" });
}
