'use strict';

// Orders in memory. An order looks the product up, takes its stock, then is stored: two calls to the product service, no way back
// should the process end between them.

const { client, id, listen, service } = require('./service');

const products = process.env.PRODUCT_SERVICE_URL;
const orders = [];

const app = service('order-service');

app.post('/api/orders', async (request, response) => {
    const { userId, productId, quantity } = request.body;
    try {
        const { data: product } = await client.get(`${products}/api/products/${productId}`);
        await client.patch(`${products}/api/products/${productId}/stock`, { quantity });
        const order = {
            id: orders.length + 1,
            userId,
            productId,
            quantity,
            totalPrice: product.price * quantity,
            status: 'pending',
            createdAt: new Date().toISOString(),
        };
        orders.push(order);
        response.status(201).json(order);
    } catch (error) {
        const status = error.response ? error.response.status : 503;
        response.status(status).json({ error: 'Failed to create order', details: error.response ? error.response.data : undefined });
    }
});

app.get('/api/orders/user/:userId', (request, response) => {
    const userID = id(request.params.userId);
    response.json(orders.filter((order) => order.userId === userID).reverse());
});

app.get('/api/orders/:id', (request, response) => {
    const order = orders[id(request.params.id) - 1];
    if (!order) return response.status(404).json({ error: 'Order not found' });
    response.json(order);
});

listen(app);
