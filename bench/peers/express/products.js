'use strict';

// The catalog and its stock in memory, from the file CATALOG names (a JSON array of products) or with two products.

const fs = require('node:fs');
const { id, listen, service } = require('./service');

const standard = [
    { id: 1, name: 'Laptop', price: 999, stock: 10 },
    { id: 2, name: 'Phone', price: 699, stock: 25 },
];
const products = process.env.CATALOG ? JSON.parse(fs.readFileSync(process.env.CATALOG, 'utf8')) : standard;
const byID = new Map(products.map((product) => [product.id, product]));

const app = service('product-service');

app.get('/api/products', (request, response) => response.json(products));

app.get('/api/products/:id', (request, response) => {
    const product = byID.get(id(request.params.id));
    if (!product) return response.status(404).json({ error: 'Product not found' });
    response.json(product);
});

app.post('/api/products', (request, response) => {
    const { name, price, stock } = request.body;
    const product = { id: products.length + 1, name, price, stock };
    products.push(product);
    byID.set(product.id, product);
    response.status(201).json(product);
});

app.patch('/api/products/:id/stock', (request, response) => {
    const product = byID.get(id(request.params.id));
    if (!product) return response.status(404).json({ error: 'Product not found' });
    const { quantity } = request.body;
    if (product.stock < quantity) return response.status(400).json({ error: 'Insufficient stock' });
    product.stock -= quantity;
    response.json(product);
});

listen(app);
