import NIOCore

// The exchange and the cache.
//
// The cache is asked when the policies have let the request pass: who may ask, and how often, is decided for what is stored as for all else. Then an
// exchange does one of these:
//
//   replays   what is stored is written as if an upstream had sent it, in pieces and as fast as the client takes it
//   waits     another exchange fetches the same; until that is known to come or not to come, this one stays undecided, with the deadline it has
//   fetches   it goes to the upstream with leave to store; from the head of a response that may be stored on it records
//   changes   its method is not a safe one; when it has gone well, or nobody knows, what is stored for its address goes
//   passes    it goes to the upstream, and that is all
//
// Whatever comes from an upstream is looked at where it goes to the client, so a response that is tried again is not seen here. What is stored is the
// upstream's own; what is added for one request (CORS, its id, compression) is added to a replay as to any other response.
//
// Those who wait are told on the next turn of the event loop, never from within the exchange that they have waited for: each of them may
// end, and begin the next request on its connection.

extension ExchangeDriver {
    /// How long a client that does not take what it asked for may hold up others who wait for the same.
    private static let holdUpTime = TimeAmount.milliseconds(250)

    /// Sends the request on its way when any route of the configuration caches.
    func proceedThroughCache() {
        let head = context.head
        guard let route, let cluster, route.route.cache != nil else {
            if head.isUnsafe { beginVisit(.changes(CacheTarget(head))) }
            handle(.forward)
            return
        }
        guard head.method == "GET" || head.isHead else {
            let visit = beginVisit(head.isUnsafe ? .changes(CacheTarget(head)) : .passes)
            forward(visit, .bypass, "method")
            return
        }
        let visit = beginVisit(.passes)
        let request = CacheRequest(head)
        let sent = SentRequest(
            head: head, route: route, cluster: cluster.cluster.name, scheme: identity.scheme, isTrusted: isTrusted,
            changes: context.changes,
            snapshot: snapshot)
        guard request.use != .bypass, let key = ResponseKey(sent) else {
            forward(visit, .bypass, "bypass")
            return
        }
        let wish = CacheVisit.Wish(sent: sent, request: request, key: key)
        visit.wish = wish
        look(visit, wish)
    }

    @discardableResult
    private func beginVisit(_ part: CacheVisit.Part) -> CacheVisit {
        let visit = CacheVisit()
        visit.part = part
        self.visit = visit
        return visit
    }

    private func look(_ visit: CacheVisit, _ wish: CacheVisit.Wish) {
        guard wish.request.use == .lookUp else {
            fetch(visit, wish, .bypass, "request")
            return
        }
        let now = loop.responses.now
        switch loop.responses.find(wish.key, now: now, wish.sent.variant) {
        case .fresh(let response) where wish.request.accepts(response.freshness, at: now): replay(response, visit, wish, now)
        case .fresh: fetch(visit, wish, .bypass, "request")
        case .stale: fetchForAll(visit, wish, now, "stale")
        case .otherVariants(let names): fetchForAll(visit, wish, now, "vary-miss", names)
        case .nothing: fetchForAll(visit, wish, now, "miss")
        }
    }

    // MARK: To the upstream

    private func forward(_ visit: CacheVisit, _ result: CacheResult, _ reason: String) {
        visit.result = result
        context.changes.addResponse(checked: "cache-status", "souk; fwd=\(reason)")
        handle(.forward)
    }

    /// Fetches it, or waits for who does.
    private func fetchForAll(_ visit: CacheVisit, _ wish: CacheVisit.Wish, _ now: Int64, _ reason: String, _ names: [String]? = nil) {
        let request = wish.request
        if !visit.leads, !request.isHead, !request.allowsStoredOnly, visit.waits < CacheVisit.maximumWaits {
            // A 304 would be of no use to others.
            switch loop.coalescing.arrive(
                self, at: wish.key, now: now, mayLead: !request.isConditional, names: names, wish.sent.variant)
            {
            case .leads: visit.leads = true
            case .goesAlone: break
            case .waits:
                visit.waits += 1
                visit.part = .waits
                return
            }
        }
        fetch(visit, wish, .miss, reason)
    }

    private func fetch(_ visit: CacheVisit, _ wish: CacheVisit.Wish, _ result: CacheResult, _ reason: String) {
        guard !wish.request.allowsStoredOnly else {
            visit.result = result
            handle(.refuse(.notStored))
            return
        }
        visit.part = wish.request.isHead ? .passes : .fetches(loop.responses.begin(wish.key, CacheTarget(context.head)))
        forward(visit, result, reason)
    }

    // MARK: What comes back

    /// The response's head is about to go to the client.
    func noteInCache(_ head: ResponseHead, _ visit: CacheVisit) {
        switch visit.part {
        case .changes(let target):
            // What is an error has changed nothing (RFC 9111 section 4.4).
            if (200..<400).contains(head.status) { loop.responses.invalidate(target) }
            visit.part = .passes
        case .fetches(let fill): beginRecording(head, visit, fill)
        case .passes, .waits, .records, .replays: break
        }
    }

    private func beginRecording(_ head: ResponseHead, _ visit: CacheVisit, _ fill: CacheFill) {
        guard let wish = visit.wish, let maximumBytes = route?.route.cache?.maximumBodyBytes else { return }
        let unixSeconds = loop.unixNanoseconds() / 1_000_000_000
        let moment = Freshness.Moment(requestedAt: fill.beganAt, receivedAt: loop.responses.now, unixSeconds: unixSeconds)
        guard let plan = StorePlan(head, maximumBytes: maximumBytes, moment) else {
            giveUp(visit)
            return
        }
        let variant = wish.sent.variant(by: plan.vary)
        guard
            let recording = CacheRecording(
                head, plan, variant, fill, unixSeconds: unixSeconds, maximumBytes: maximumBytes, in: loop.responses)
        else {
            giveUp(visit)
            return
        }
        visit.part = .records(recording)
        guard visit.leads else { return }
        release(
            loop.coalescing.learn(self, wish.key, variant) { member, names in
                member.visit?.wish?.sent.variant(by: names) ?? .only
            })
    }

    func noteInCache(body piece: ByteBuffer, _ visit: CacheVisit) {
        if case .records(let recording) = visit.part, !recording.add(piece) { giveUp(visit) }
    }

    /// The response is whole, and its end is about to go to the client.
    func noteInCacheEnd(trailers: ByteBuffer?, _ visit: CacheVisit) {
        guard case .records(let recording) = visit.part else { return }
        guard trailers == nil else {
            giveUp(visit)
            return
        }
        visit.part = .passes
        let finish = recording.finish()
        guard let key = visit.wish?.key, visit.leads else { return }
        visit.leads = false
        switch finish {
        case .stored, .changed: release(loop.coalescing.end(self, key))
        case .noRoom: release(loop.coalescing.refuse(self, key, now: loop.responses.now))
        }
    }

    /// What is fetched will not be stored.
    private func giveUp(_ visit: CacheVisit) {
        abandonFill(visit)
        visit.part = .passes
        guard let key = visit.wish?.key, visit.leads else { return }
        visit.leads = false
        release(loop.coalescing.refuse(self, key, now: loop.responses.now))
    }

    private func abandonFill(_ visit: CacheVisit) {
        switch visit.part {
        case .fetches(let fill): loop.responses.abandon(fill)
        case .records(let recording): loop.responses.abandon(recording.fill)
        case .passes, .changes, .waits, .replays: break
        }
    }

    // MARK: The end

    /// The exchange is over.
    func leaveCache(_ visit: CacheVisit, isCut: Bool) {
        let part = visit.part
        switch part {
        // It was sent, and nobody knows what has become of it.
        case .changes(let target): if wasSent { loop.responses.invalidate(target) }
        case .waits: handOver(visit)
        case .fetches, .records:
            // When only its client has gone, the same is still worth fetching.
            if isCut, failure == nil {
                abandonFill(visit)
                handOver(visit)
            } else {
                giveUp(visit)
            }
        case .passes, .replays: break
        }
        visit.part = .passes
    }

    /// Waits or leads no more; who leads instead, if somebody waits, begins.
    private func handOver(_ visit: CacheVisit) {
        guard let key = visit.wish?.key else { return }
        visit.leads = false
        guard let next = loop.coalescing.leave(self, key) else { return }
        next.visit?.leads = true
        release([next])
    }

    // MARK: Those who wait

    private func release(_ waiting: [ExchangeDriver]) {
        guard !waiting.isEmpty else { return }
        loop.eventLoop.assumeIsolated().execute {
            for driver in waiting { driver.lookAgain() }
        }
    }

    private func lookAgain() {
        guard !isFinished, let visit, case .waits = visit.part, let wish = visit.wish else { return }
        look(visit, wish)
        flush()
    }

    /// A client that takes its time must not take that of others.
    private func watchHoldUp(_ visit: CacheVisit) {
        guard visit.leads, !visit.isWatched else { return }
        visit.isWatched = true
        loop.eventLoop.assumeIsolated().scheduleTask(in: Self.holdUpTime) {
            if visit.leads { self.handOver(visit) }
        }
    }

    // MARK: What is stored

    private func replay(_ response: StoredResponse, _ visit: CacheVisit, _ wish: CacheVisit.Wish, _ now: Int64) {
        let hasWaited = visit.waits > 0
        visit.result = hasWaited ? .coalesced : .hit
        visit.part = .replays
        let remaining = response.freshness.remainingSeconds(at: now)
        context.changes.addResponse(checked: "age", String(response.freshness.ageSeconds(at: now)))
        context.changes.addResponse(checked: "cache-status", hasWaited ? "souk; fwd=miss; collapsed" : "souk; hit; ttl=\(remaining)")
        if response.isKnown(to: context.head), let head = response.notModified {
            if tellsOfCompression(response.head) { context.changes.addResponse(checked: "vary", "accept-encoding") }
            replay(head)
        } else {
            if !wish.request.isHead { visit.rest = response.body }
            replay(response.head)
        }
        feed()
        guard visit.leads else { return }
        visit.leads = false
        release(loop.coalescing.end(self, wish.key))
    }

    /// Whether the whole response would name `Accept-Encoding` in its `Vary` on the gateway's account, so that a 304 has to as well.
    private func tellsOfCompression(_ head: ResponseHead) -> Bool {
        guard let compression = route?.route.compression else { return false }
        return compression.decide(context.head, head) != .none && !head.varies
    }

    /// Gives the client of the stored body what it takes.
    private func feed() {
        guard let visit, case .replays = visit.part else { return }
        while !isFinished, !visit.isPaused {
            guard let piece = visit.nextPiece() else {
                receiveEnd(trailers: nil, isReusable: false)
                return
            }
            receive(body: piece)
        }
    }

    /// The client takes no more for now, or takes more again: so does what comes from the upstream or from the store.
    func setSourceReading(_ reads: Bool) {
        upstream?.setReading(reads)
        guard let visit else { return }
        if !reads { watchHoldUp(visit) }
        guard case .replays = visit.part else { return }
        visit.isPaused = !reads
        // Not now: the exchange is in the middle of what has made the client take more.
        guard reads else { return }
        loop.eventLoop.assumeIsolated().execute {
            self.feed()
            self.flush()
        }
    }
}
