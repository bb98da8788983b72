/** What `balsa up` listens on unless told otherwise: etcd's ports, and the same with a digit before. */
export const CLIENT_PORTS: readonly number[] = [2379, 22379, 32379];
export const PEER_PORTS: readonly number[] = [2380, 22380, 32380];

/** Where its clients look unless told otherwise. */
export const LOCAL_ENDPOINTS: readonly string[] = CLIENT_PORTS.map((port) => `127.0.0.1:${port}`);
