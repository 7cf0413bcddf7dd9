#include "bootstrap/threads.h"

#include <pthread.h>

#include <csignal>

namespace amalgam::bootstrap {

Status start_thread(void* (*main)(void*), void* argument, const char* name) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread{};
  const int error = pthread_create(&thread, nullptr, main, argument);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error != 0) return system_error(std::string("cannot start the thread '") + name + "'", error);
  pthread_setname_np(thread, name);
  pthread_detach(thread);
  return {};
}

}  // namespace amalgam::bootstrap
