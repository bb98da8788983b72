import { ServerError } from "../server-error.js";

/** Takes `http://host:port` apart and gives `host:port`. @throws ServerError `invalid-option` */
export function addressOfUrl(flag: string, url: string): string {
  const match = /^(\w+):\/\/([^\s/]+:\d{1,5})\/?$/.exec(url);
  const [, scheme, address] = match ?? [];
  if (scheme === undefined || address === undefined) {
    throw new ServerError("invalid-option", `${flag}: "${url}" is not of the form http://host:port`);
  }
  if (scheme === "https") throw new ServerError("invalid-option", `${flag}: "${url}": balsa: TLS is not there yet`);
  if (scheme !== "http") throw new ServerError("invalid-option", `${flag}: "${url}" does not begin with http://`);
  return address;
}

/** A list as etcd's flags have it: by commas. @throws ServerError `invalid-option` */
export function urlsOf(flag: string, list: string): readonly string[] {
  const urls = list.split(",").map((url) => url.trim().replace(/\/$/, ""));
  for (const url of urls) addressOfUrl(flag, url);
  return urls;
}

export interface NamedAddress {
  readonly name: string;
  /** `host:port` */
  readonly address: string;
}

/** `name=http://host:port,…` @throws ServerError `invalid-option` */
export function initialClusterOf(flag: string, list: string): readonly NamedAddress[] {
  return list.split(",").map((pair) => {
    const separator = pair.indexOf("=");
    if (separator <= 0)
      throw new ServerError("invalid-option", `${flag}: "${pair}" is not of the form name=http://host:port`);
    return { name: pair.slice(0, separator).trim(), address: addressOfUrl(flag, pair.slice(separator + 1).trim()) };
  });
}
