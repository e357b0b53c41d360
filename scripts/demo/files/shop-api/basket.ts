import { roundToCents } from './money.ts';

/** One line of a basket, with the price at the time it was added. */
export interface BasketItem {
  sku: string;
  quantity: number;
  unitPrice: number;
  giftWrap?: boolean;
}

export interface Voucher {
  code: string;
  kind: 'percent' | 'fixed' | 'shipping';
  value: number;
  minimum?: number;
  expires?: Date;
}

export function subtotal(items: readonly BasketItem[]): number {
  return roundToCents(items.reduce((sum, item) => sum + item.quantity * item.unitPrice, 0));
}

// TODO: vouchers for single categories; the shop wants them before the summer sale.
export function discount(items: readonly BasketItem[], vouchers: readonly Voucher[], now: Date): number {
  const total = subtotal(items);
  let off = 0;
  for (const voucher of vouchers) {
    if (voucher.expires && voucher.expires < now) continue;
    if (voucher.minimum !== undefined && total < voucher.minimum) continue;
    switch (voucher.kind) {
      case 'percent':
        off += total * (voucher.value / 100);
        break;
      case 'fixed':
        off += voucher.value;
        break;
      case 'shipping':
        break;
    }
  }
  return roundToCents(Math.min(off, total));
}

export const shippingFor = (items: readonly BasketItem[], country: string): number => {
  const heavy = items.some((item) => item.sku.startsWith('FUR-') || item.quantity > 50);
  if (country === 'DE') return heavy ? 29 : subtotal(items) >= 50 ? 0 : 4.9;
  if (country === 'AT' || country === 'CH') return heavy ? 49 : 9.9;
  return heavy ? 89 : 14.9; // FIXME: wrong for islands
};

export class Basket {
  #items: BasketItem[] = [];

  add(item: BasketItem): void {
    const same = this.#items.find((other) => other.sku === item.sku && other.giftWrap === item.giftWrap);
    if (same) same.quantity += item.quantity;
    else this.#items.push({ ...item });
  }

  remove(sku: string): boolean {
    const before = this.#items.length;
    this.#items = this.#items.filter((item) => item.sku !== sku);
    return this.#items.length < before;
  }

  get items(): readonly BasketItem[] {
    return this.#items;
  }
}
