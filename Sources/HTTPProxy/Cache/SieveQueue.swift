// Which response goes when there is no room: SIEVE (Zhang and others, NSDI 2024).
//
// What is stored stands in a line, the newest at its head. When something is used it is marked, and stays where it is. A hand moves from the tail to
// the head, and then from the tail again: what is marked loses its mark, what is not goes. So what was used since the hand came by last survives, behind
// the hand's back, and what nobody asks for twice goes at the first visit. A flood of such things only pushes out itself: those that are kept are passed by once
// in a round, and a round takes as long as it takes to fill the line anew. Being used costs one bit and no move, so it is cheap under a lock.

/// The line and the hand. What stands in a place is the owner's business: it keeps it under the same number.
struct SieveQueue {
    private struct Place {
        /// Nil at the tail.
        var older: Int?
        /// Nil at the head.
        var newer: Int?
        var isMarked = false
    }

    private var places: [Place] = []
    private var free: [Int] = []
    private var head: Int?
    private var tail: Int?
    /// Who is looked at next; nil: the tail.
    private var hand: Int?
    private(set) var count = 0

    /// Takes a new one in at the head; gives its number. Numbers are small: those that have become free are given again.
    mutating func insert() -> Int {
        let number = free.popLast() ?? places.count
        if number == places.count { places.append(Place()) }
        places[number] = Place(older: head)
        if let head { places[head].newer = number }
        head = number
        if tail == nil { tail = number }
        count += 1
        return number
    }

    /// It was used.
    mutating func mark(_ number: Int) { places[number].isMarked = true }

    mutating func remove(_ number: Int) {
        let place = places[number]
        if let older = place.older { places[older].newer = place.newer } else { tail = place.newer }
        if let newer = place.newer { places[newer].older = place.older } else { head = place.older }
        if hand == number { hand = place.newer }
        free.append(number)
        count -= 1
    }

    /// Removes the one that is worth least.
    /// - Parameter looks: how many may be looked at. As many as there are is one round.
    /// - Returns: nil when all that were looked at had been used, or there are none.
    mutating func evict(_ looks: inout Int) -> Int? {
        while looks > 0, let number = hand ?? tail {
            looks -= 1
            hand = number
            guard places[number].isMarked else {
                remove(number)
                return number
            }
            places[number].isMarked = false
            hand = places[number].newer
        }
        return nil
    }
}
