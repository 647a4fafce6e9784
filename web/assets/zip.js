// A ZIP archive of stored entries: pictures are compressed already. Source: PKWARE APPNOTE 6.3.10, sections 4.3 and 4.4.

const UTF8_NAMES = 0x0800;
const STORED_VERSION = 20;
const MAX_BYTES = 0xffff_ffff;
const MAX_ENTRIES = 0xffff;

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let crc = index;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
  return crc;
});

function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** Little-endian numbers, given as [value, bytes] pairs. */
function record(...numbers) {
  const view = new DataView(new ArrayBuffer(numbers.reduce((sum, [, size]) => sum + size, 0)));
  let at = 0;
  for (const [value, size] of numbers) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  }
  return view.buffer;
}

/** Names made different: "a.png", "a-2.png". */
function distinct(names) {
  const seen = new Set();
  return names.map((name) => {
    const [, stem, ending] = /^(.*?)(\.[^.]*)?$/s.exec(name);
    let free = name;
    for (let count = 2; seen.has(free); count++) free = `${stem}-${count}${ending ?? ""}`;
    seen.add(free);
    return free;
  });
}

/**
 * An archive.
 * @param {{name: string, blob: Blob}[]} entries names may repeat; they are made different
 * @throws {RangeError} for more than 65,535 entries or 4 GiB, which need ZIP64
 */
export async function zip(entries, now = new Date()) {
  if (entries.length > MAX_ENTRIES) throw new RangeError("too many files for one archive");
  const names = distinct(entries.map((entry) => entry.name)).map((name) => new TextEncoder().encode(name));
  const time = (now.getHours() << 11) | (now.getMinutes() << 5) | (now.getSeconds() >> 1);
  const date = ((now.getFullYear() - 1980) << 9) | ((now.getMonth() + 1) << 5) | now.getDate();
  const files = [];
  const directory = [];
  let offset = 0;
  for (const [index, { blob }] of entries.entries()) {
    const crc = crc32(new Uint8Array(await blob.arrayBuffer()));
    const name = names[index];
    const shared = [
      [STORED_VERSION, 2],
      [UTF8_NAMES, 2],
      [0, 2],
      [time, 2],
      [date, 2],
      [crc, 4],
      [blob.size, 4],
      [blob.size, 4],
      [name.length, 2],
      [0, 2],
    ];
    files.push(record([0x04034b50, 4], ...shared), name, blob);
    directory.push(
      record([0x02014b50, 4], [STORED_VERSION, 2], ...shared, [0, 2], [0, 2], [0, 2], [0, 4], [offset, 4]),
      name,
    );
    offset += 30 + name.length + blob.size;
    if (offset > MAX_BYTES) throw new RangeError("too much for one archive");
  }
  const directoryBytes = names.reduce((sum, name) => sum + 46 + name.length, 0);
  const end = record(
    [0x06054b50, 4],
    [0, 2],
    [0, 2],
    [entries.length, 2],
    [entries.length, 2],
    [directoryBytes, 4],
    [offset, 4],
    [0, 2],
  );
  return new Blob([...files, ...directory, end], { type: "application/zip" });
}
