'use strict';

// The one entry: an Express application that hands requests to http-proxy by their path, and asks all services for their health.

const express = require('express');
const httpProxy = require('http-proxy');
const { agent, client, listen } = require('./service');

const services = [
    { name: 'user-service', path: '/api/users', url: process.env.USER_SERVICE_URL },
    { name: 'product-service', path: '/api/products', url: process.env.PRODUCT_SERVICE_URL },
    { name: 'order-service', path: '/api/orders', url: process.env.ORDER_SERVICE_URL },
];

const proxy = httpProxy.createProxyServer(agent ? { agent } : {});
proxy.on('error', (error, request, response) => {
    if (response.headersSent) return response.destroy();
    response.writeHead(503, { 'Content-Type': 'application/json' }).end(JSON.stringify({ error: 'Service unavailable' }));
});

const app = express();

async function health({ name, url }) {
    const start = performance.now();
    const status = await client.get(`${url}/health`).then(() => 'healthy', () => 'unhealthy');
    return { name, url, status, latencyMs: Math.round(performance.now() - start) };
}

app.get('/health', async (request, response) => {
    response.json({ gateway: 'healthy', services: await Promise.all(services.map(health)) });
});

for (const { path, url } of services) {
    // Express takes the path away that it matched; the services expect all of it.
    app.use(path, (request, response) => {
        request.url = request.originalUrl;
        proxy.web(request, response, { target: url });
    });
}

listen(app);
