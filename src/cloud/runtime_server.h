// RuntimeServer: the pool's side of the Runtime API, for one worker at the other end of a socket.
// No thread of its own: whoever invokes drives it.
//
//   worker                                      pool
//   GET  …/runtime/invocation/next ───────────▶ AwaitReady
//        ◀─────────────────────────── the job   Run …
//   GET  /llama/store/<key> ──────────────────▶    (any number of times)
//        ◀─────────────────────────── the object
//   POST …/invocation/<id>/response ──────────▶    … returns the answer
//        ◀─────────────────────────── 202
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "http/stream.h"
#include "store/object_store.h"

namespace llama::cloud {

struct StoreTraffic {
  std::atomic<int64_t> gets = 0;
  std::atomic<int64_t> bytes = 0;
};

class RuntimeServer {
 public:
  // All but the socket must outlive the server.
  RuntimeServer(Fd socket, store::ObjectStore& store, const Clock& clock, StoreTraffic& traffic);

  // Waits for the worker to ask for a job. kNotFound or kUnavailable: it is gone; kRemoteFailed: it
  // reports that it could not start; kDeadline, kCancelled.
  Result<void> AwaitReady(const http::Wait& wait);
  // Hands over a job (after AwaitReady) and serves the worker until its answer. kUnavailable: it is
  // gone; kRemoteFailed: it answered with an error; kInvalid: it does not speak the API. After an
  // error other than kRemoteFailed the worker is of no more use. `deadline_ms` (of the Unix epoch)
  // is what the worker is told.
  Result<std::string> Run(std::string_view payload, int64_t deadline_ms, const http::Wait& wait);

  bool HungUp() const { return stream_.HungUp(); }
  void Close() { stream_.Close(); }

 private:
  Result<void> Send(std::string_view status, std::string_view headers, std::string_view body,
                    const http::Wait& wait);
  Result<void> SendObject(const std::string& key, const http::Wait& wait);

  http::Stream stream_;
  store::ObjectStore& store_;
  StoreTraffic& traffic_;
  bool ready_ = false;
  uint64_t jobs_ = 0;
};

}  // namespace llama::cloud
