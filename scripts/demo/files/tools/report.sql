-- Revenue per month and category. TODO: leave out cancelled orders.
SELECT strftime('%Y-%m', o.ordered_at) AS month, p.category, round(sum(i.quantity * i.unit_price), 2) AS revenue
FROM orders o JOIN order_items i ON i.order_id = o.id JOIN products p ON p.sku = i.sku
GROUP BY month, p.category
ORDER BY month DESC, revenue DESC;
