// Device EUIs as people write and paste them. Pure.

/** The 16 upper-case digits, or null where it is no EUI; separators and a leading 0x are taken. */
export function cleanEui(typed) {
  const digits = typed.replace(/[\s:.\-]+/g, "").toUpperCase().replace(/^0X/, "");
  return /^[0-9A-F]{16}$/.test(digits) ? digits : null;
}

/** What is wrong with what was typed. */
export function euiFault(typed) {
  const digits = typed.replace(/[\s:.\-]+/g, "").replace(/^0x/i, "");
  const odd = /[^0-9a-f]/i.exec(digits);
  if (odd) return `has “${odd[0]}” in it: only 0-9 and A-F, with or without separators`;
  return `has ${digits.length} digits instead of 16`;
}
