/// What the gateway does without a file of its own: the routes of a Souk shop.
///
/// Reading products is for everyone; changing them, and all of orders, payments and notifications, is for who is signed in. The services
/// check again, and know whose is what: the gateway only spares them requests that cannot succeed.
///
/// Who guesses passwords, opens accounts by the dozen or has mail sent to others is slowed by address; everything else is unlimited until somebody
/// says otherwise.
///
/// Each event loop has at most 32 requests under way at a service: more would not be answered sooner, only later. What comes beyond that waits a
/// moment and is then told to come again. Streams of events are under way for hours and have connections of their own.
enum StandardConfiguration {
    static let yaml = """
        trustedProxies: [${TRUSTED_PROXIES}]

        clusters:
          - name: users
            endpoints: ["${USER_SERVICE_URL}"]
            maximumConnections: 32
          - name: products
            endpoints: ["${PRODUCT_SERVICE_URL}"]
            maximumConnections: 32
          - name: orders
            endpoints: ["${ORDER_SERVICE_URL}"]
            maximumConnections: 32
          - name: order-streams
            endpoints: ["${ORDER_SERVICE_URL}"]
            maximumConnections: 4096
          - name: payments
            endpoints: ["${PAYMENT_SERVICE_URL}"]
            maximumConnections: 32
          - name: notifications
            endpoints: ["${NOTIFICATION_SERVICE_URL}"]
            maximumConnections: 32

        routes:
          - name: register
            path: /api/users/register
            exact: true
            cluster: users
            rateLimits: [{name: register, requests: 30, seconds: 60, by: address}]
          - name: login
            path: /api/users/login
            exact: true
            cluster: users
            rateLimits: [{name: login, requests: 30, seconds: 60, by: address}]
          - {name: token, path: /api/users/token, exact: true, cluster: users}
          - {name: logout, path: /api/users/logout, exact: true, cluster: users}
          - name: password-reset
            path: /api/users/password-reset
            cluster: users
            rateLimits: [{name: password-reset, requests: 5, seconds: 60, by: address}]
          - {name: verify-email, path: /api/users/verify-email, exact: true, cluster: users, authentication: optional}
          - {name: users, path: /api/users, cluster: users, authentication: required}
          - {name: jwks, path: /.well-known/jwks.json, exact: true, cluster: users}

          - {name: products-read, path: /api/products, methods: [GET, HEAD], cluster: products, authentication: optional}
          - {name: products-write, path: /api/products, cluster: products, authentication: required}
          - {name: categories, path: /api/categories, exact: true, cluster: products}

          - {name: order-events, path: "/api/orders/{id}/events", cluster: order-streams, authentication: required, totalSeconds: 0}
          - {name: orders, path: /api/orders, cluster: orders, authentication: required}

          - {name: payment-webhooks, path: /api/payments/webhooks, cluster: payments}
          - {name: payments, path: /api/payments, cluster: payments, authentication: required}

          - {name: notifications, path: /api/notifications, cluster: notifications, authentication: required}
        """
}
