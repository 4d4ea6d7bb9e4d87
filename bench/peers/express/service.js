'use strict';

// What the four processes share: where they listen, how they connect to each other, what an error looks like.

const http = require('node:http');
const axios = require('axios');
const express = require('express');

const keepAlive = process.env.KEEP_ALIVE === '1';

/** The agent of every outgoing connection; undefined leaves the choice to each package. */
const agent = keepAlive ? new http.Agent({ keepAlive: true }) : undefined;

/** Calls other services. Status codes of 400 and above throw, as axios does by default. */
const client = axios.create(agent ? { httpAgent: agent } : {});

/** An Express application that reads JSON bodies and answers `GET /health`. */
function service(name) {
    const app = express();
    app.use(express.json());
    app.get('/health', (request, response) => response.json({ status: 'healthy', service: name }));
    return app;
}

/** Listens on PORT of 127.0.0.1 and ends with SIGTERM. Returns the server. */
function listen(app) {
    const server = app.listen(Number(process.env.PORT), '127.0.0.1');
    process.on('SIGTERM', () => {
        server.close(() => process.exit(0));
        server.closeAllConnections();
    });
    return server;
}

/** The id in a path; NaN finds nothing. */
const id = (text) => Number.parseInt(text, 10);

module.exports = { agent, client, id, listen, service };
