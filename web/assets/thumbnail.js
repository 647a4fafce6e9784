// Small pictures of large ones, so that many fit into memory.

/** A canvas of about `side` CSS pixels; null for what the browser cannot read. */
export async function thumbnail(blob, side) {
  const full = await createImageBitmap(blob).catch(() => null);
  if (!full) return null;
  const factor = Math.min(1, (side * 2) / Math.max(full.width, full.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(full.width * factor));
  canvas.height = Math.max(1, Math.round(full.height * factor));
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(full, 0, 0, canvas.width, canvas.height);
  full.close();
  return canvas;
}
