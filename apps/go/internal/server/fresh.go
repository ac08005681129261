package server

import (
	"net"
	"net/http"
	"sync"
	"time"
)

// lastCall is how long a connection that has asked nothing yet may still ask, once the service stops.
const lastCall = 200 * time.Millisecond

// fresh knows the connections that have asked nothing yet. Shutdown waits five seconds for each of them.
type fresh struct {
	mu          sync.Mutex
	connections map[net.Conn]struct{}
}

func newFresh() *fresh {
	return &fresh{connections: map[net.Conn]struct{}{}}
}

// track is the server's ConnState hook.
func (f *fresh) track(connection net.Conn, state http.ConnState) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if state == http.StateNew {
		f.connections[connection] = struct{}{}
	} else {
		delete(f.connections, connection)
	}
}

// hurry lets what has arrived be read, and the rest end. The server lifts the deadline when it has read a request.
func (f *fresh) hurry() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for connection := range f.connections {
		_ = connection.SetReadDeadline(time.Now().Add(lastCall))
	}
}
