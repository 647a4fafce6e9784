// The mask of a result, read from its own transparency.

/** The alpha of an image as a gray PNG; null when the image is opaque everywhere or cannot be read. */
export async function maskOf(blob) {
  const bitmap = await createImageBitmap(blob).catch(() => null);
  if (!bitmap) return null;
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const picture = context.getImageData(0, 0, canvas.width, canvas.height);
  const pixels = picture.data;
  let opaque = true;
  for (let i = 0; i < pixels.length; i += 4) {
    opaque &&= pixels[i + 3] === 255;
    pixels[i] = pixels[i + 1] = pixels[i + 2] = pixels[i + 3];
    pixels[i + 3] = 255;
  }
  if (opaque) return null;
  context.putImageData(picture, 0, 0);
  return canvas.convertToBlob({ type: "image/png" });
}
