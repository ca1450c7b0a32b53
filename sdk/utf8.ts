/** Sizes of texts in UTF-8, without encoding them. */

/** Bytes that one UTF-16 unit takes at most. */
export const UTF8_PER_UNIT = 3;

/** Bytes of a text; a lone surrogate counts 2 (JSON text has none). */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x80) bytes += unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 1 : 2;
  }
  return bytes;
}

/** Whether a text has at most so many bytes; counted only when its length leaves that open. */
export function fitsUtf8(text: string, limit: number): boolean {
  if (text.length * UTF8_PER_UNIT <= limit) return true;
  return text.length <= limit && utf8Length(text) <= limit;
}
