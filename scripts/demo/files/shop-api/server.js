'use strict';
const http = require('node:http');
const { readFileSync } = require('node:fs');

const prices = JSON.parse(readFileSync('prices.json', 'utf8'));

/* A small price server: GET /price/SKU?currency=EUR */
const server = http.createServer((request, response) => {
  const url = new URL(request.url, 'http://localhost');
  const [, kind, sku] = url.pathname.split('/');
  if (request.method !== 'GET') {
    response.writeHead(405).end();
    return;
  }
  if (kind === 'price' && sku in prices) {
    const currency = url.searchParams.get('currency') || 'EUR';
    const rate = currency === 'EUR' ? 1 : currency === 'CHF' ? 0.96 : currency === 'USD' ? 1.08 : NaN;
    if (Number.isNaN(rate)) {
      response.writeHead(400).end('unknown currency');
    } else {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ sku, currency, price: prices[sku] * rate }));
    }
  } else {
    response.writeHead(404).end();
  }
});

server.listen(process.env.PORT || 8080);
