/**
 * Keys and values are kept as strings of one character a byte (latin1). V8 stores such a string in its bytes and a
 * small header, where a Uint8Array of its own costs two objects and 200 bytes and more; it can't be changed by whoever
 * reads it; it is a Map's key as it stands; and `<` on such strings is the order of the bytes.
 */
export type ByteString = string;
