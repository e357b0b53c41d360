// Saved in the middle of an edit.
export function nextInvoiceNumber(last) {
  const [prefix, year, number] = last.split('-');
  if (Number(year) === new Date().getFullYear() {
    return `${prefix}-${year}-${String(Number(number) + 1).padStart(5, '0')}`;
  }
  return `${prefix}-${new Date().getFullYear()}-00001`;
}
