/**
 * Certificate and key files, and their newest sound content.
 *
 * Files are looked at once a second, so that a certificate is renewed by replacing it. Replacing
 * takes two steps, certificate and key; between them the two do not fit, and then the old pair
 * stays. Invariant: what `current` gives has been parsed, and its key fits its certificate.
 */
import { readFileSync, statSync } from "node:fs";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import { CairnError, errorText, type Ms } from "#base";
import { systemText } from "./system-error.ts";

/** Where the files are. */
export interface TlsPaths {
  readonly certificatePath: string;
  readonly keyPath: string;
  /** Empty: trust the system's roots. */
  readonly authorityPath: string;
}

/** What TLS is made of. */
export interface TlsMaterial {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca?: Buffer;
}

/** Files that are watched. */
export interface TlsFiles {
  readonly current: TlsMaterial;
  /** Sets who is told when `current` has changed. */
  onChange(f: (material: TlsMaterial) => void): void;
  /** Ends watching. */
  close(): void;
}

/** How files are watched. */
export interface TlsFilesOptions {
  /** Told when files were replaced, or cannot be used. */
  readonly onNotice?: (text: string) => void;
  /** How often the files are looked at. Default 1 s. */
  readonly checkMs?: Ms;
}

/** A renewed certificate may wait this long; three looks at a file a second cost nothing. */
const CHECK_MS: Ms = 1000;

/** Below TLS 1.2 nothing is safe; the reference has the same bound. */
export const TLS_VERSION_MIN: "TLSv1.2" = "TLSv1.2";

/**
 * Reads the files and watches them; does not keep the process alive.
 *
 * @throws `NET_TLS_INVALID` if they cannot be read or do not fit.
 */
export function openTlsFiles(paths: TlsPaths, options: TlsFilesOptions = {}): TlsFiles {
  return new WatchedFiles(paths, options);
}

/** What Node's TLS takes. */
export function contextOptions(material: TlsMaterial): SecureContextOptions {
  return { ...material, minVersion: TLS_VERSION_MIN };
}

class WatchedFiles implements TlsFiles {
  current: TlsMaterial;
  readonly #paths: TlsPaths;
  readonly #notice: (text: string) => void;
  readonly #timer: NodeJS.Timeout;
  #stamp: string;
  /** The last complaint, which is made once. */
  #complaint = "";
  #changed: (material: TlsMaterial) => void = () => undefined;

  constructor(
    paths: TlsPaths,
    { onNotice = () => undefined, checkMs = CHECK_MS }: TlsFilesOptions,
  ) {
    this.#paths = paths;
    this.#notice = onNotice;
    this.#stamp = stampOf(paths);
    this.current = readMaterial(paths);
    this.#timer = setInterval(() => this.#look(), checkMs);
    this.#timer.unref();
  }

  onChange(f: (material: TlsMaterial) => void): void {
    this.#changed = f;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    try {
      const stamp = stampOf(this.#paths);
      if (stamp === this.#stamp && this.#complaint === "") return;
      const material = readMaterial(this.#paths);
      this.#stamp = stamp;
      this.#complaint = "";
      if (isSame(material, this.current)) return;
      this.current = material;
      this.#notice(`tls: ${this.#paths.certificatePath} was replaced and is used from now on`);
      this.#changed(material);
    } catch (error) {
      const complaint = `tls: the certificate in use stays: ${errorText(error)}`;
      if (complaint !== this.#complaint) this.#notice(complaint);
      this.#complaint = complaint;
    }
  }
}

function pathsOf({ certificatePath, keyPath, authorityPath }: TlsPaths): readonly string[] {
  return authorityPath === ""
    ? [certificatePath, keyPath]
    : [certificatePath, keyPath, authorityPath];
}

/** Changes whenever a file is written or replaced. */
function stampOf(paths: TlsPaths): string {
  return pathsOf(paths)
    .map((path) => {
      try {
        const { mtimeMs, ctimeMs, ino, size } = statSync(path);
        return `${mtimeMs} ${ctimeMs} ${ino} ${size}`;
      } catch (error) {
        throw invalid(path, error);
      }
    })
    .join("\n");
}

function readMaterial(paths: TlsPaths): TlsMaterial {
  const [cert, key, ca] = pathsOf(paths).map(read);
  if (cert === undefined || key === undefined) throw invalid(paths.certificatePath, "missing");
  const material: TlsMaterial = { cert, key, ...(ca === undefined ? {} : { ca }) };
  try {
    // Parses all three, and refuses a key that belongs to another certificate.
    createSecureContext(contextOptions(material));
  } catch (error) {
    throw invalid(`${paths.certificatePath}, ${paths.keyPath}`, error);
  }
  return material;
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw invalid(path, error);
  }
}

function isSame(one: TlsMaterial, other: TlsMaterial): boolean {
  const ca = one.ca ?? Buffer.alloc(0);
  return (
    one.cert.equals(other.cert) &&
    one.key.equals(other.key) &&
    ca.equals(other.ca ?? Buffer.alloc(0))
  );
}

function invalid(path: string, error: unknown): CairnError {
  return new CairnError("NET_TLS_INVALID", `platform: tls: ${path}: ${systemText(error)}`, {
    cause: error,
  });
}
