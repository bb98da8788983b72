import { ImageFiles as FixedImageFiles, type SimDisk } from "../../src/sim/index.js";

/** Files to be read only, as bytes that a test may change, between one reading and the next. */
export class ImageFiles extends FixedImageFiles {
  /** By path. */
  readonly images: Map<string, Uint8Array>;

  constructor() {
    const images = new Map<string, Uint8Array>();
    super(images);
    this.images = images;
  }

  static of(disk: SimDisk, dir: string): ImageFiles {
    const files = new ImageFiles();
    for (const path of [`${dir}/identity`, ...below(disk, `${dir}/log`), ...below(disk, `${dir}/snapshots`)]) {
      const file = disk.open(path, "read");
      files.images.set(path, file.read(0, file.sizeBytes));
    }
    return files;
  }

  /** The image whose path ends like this. */
  path(ending: string): string {
    const found = [...this.images.keys()].filter((path) => path.endsWith(ending));
    const [path] = found;
    if (path === undefined || found.length > 1) throw new Error(`${found.length} files end in ${ending}`);
    return path;
  }

  image(path: string): Uint8Array {
    const bytes = this.images.get(path);
    if (bytes === undefined) throw new Error(`${path} is not there`);
    return bytes;
  }

  /** Paths of the segments, oldest first. */
  get segments(): readonly string[] {
    return [...this.images.keys()].filter((path) => path.endsWith(".log")).sort();
  }

  get snapshots(): readonly string[] {
    return [...this.images.keys()].filter((path) => path.endsWith(".snapshot")).sort();
  }

  /** An empty directory leaves no trace in an image. */
  override async list(path: string): Promise<readonly string[]> {
    const isThere = [...this.images.keys()].some((other) => other.startsWith(`${path}/`));
    return isThere ? super.list(path) : [];
  }
}

function below(disk: SimDisk, dir: string): string[] {
  return disk.list(dir).map((name) => `${dir}/${name}`);
}
