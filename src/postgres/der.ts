/** The few forms of ASN.1's DER (ITU-T X.690) that a certificate is made of. */

function encode(tag: number, content: Buffer): Buffer {
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  if (length > 0xffff) throw new Error('no certificate is as long as that');
  const size = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

export function sequence(...parts: readonly Buffer[]): Buffer {
  return encode(0x30, Buffer.concat(parts));
}

export function setOf(part: Buffer): Buffer {
  return encode(0x31, part);
}

/** A positive number, big-endian. */
export function integer(bytes: Buffer): Buffer {
  const first = bytes[0] ?? 0;
  return encode(0x02, first < 0x80 ? bytes : Buffer.concat([Buffer.from([0]), bytes]));
}

export function boolean(value: boolean): Buffer {
  return encode(0x01, Buffer.from([value ? 0xff : 0]));
}

/** An object identifier, e.g. `2.5.4.3`. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc & 0x7f];
    for (let left = arc >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return encode(0x06, Buffer.from(bytes));
}

export function utf8(text: string): Buffer {
  return encode(0x0c, Buffer.from(text));
}

/** A time as RFC 5280 wants it from 2050 on, e.g. `99991231235959Z`. */
export function generalizedTime(text: string): Buffer {
  return encode(0x18, Buffer.from(text));
}

/** A time before 2050, e.g. `200101000000Z`. */
export function utcTime(text: string): Buffer {
  return encode(0x17, Buffer.from(text));
}

export function octets(content: Buffer): Buffer {
  return encode(0x04, content);
}

/** @param unused bits at the end that do not count */
export function bits(content: Buffer, unused = 0): Buffer {
  return encode(0x03, Buffer.concat([Buffer.from([unused]), content]));
}

/** `[number]`, around a whole value, or in place of a primitive one's own tag. */
export function tagged(number: number, content: Buffer, constructed: boolean): Buffer {
  return encode((constructed ? 0xa0 : 0x80) | number, content);
}
