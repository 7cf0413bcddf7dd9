#pragma once

// What becomes of the library in a forked child: nothing works there, and nothing of the parent is held open by it.
//
// The child of a fork has no service thread, and its copies of our sockets would keep connections of a killed parent
// alive for the peers. So the child closes them in pthread_atfork's handler, which may only touch memory and call
// close(): hence a table of bits, written without locks.
//
// Threads  any.

namespace amalgam::bootstrap::fork_guard {

void install();       // once; later calls do nothing
bool forked();        // this process is a child of the one that called install()
void own(int fd);     // close it in a forked child
void disown(int fd);  // before the fd is closed or given away

}  // namespace amalgam::bootstrap::fork_guard
