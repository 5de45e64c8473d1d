// One client's connection: requests in, answers out, as slowly and as badly as the model wants it.
// Lives on the thread that Server gives it.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "emulator/request/lines.h"
#include "emulator/request/message.h"
#include "emulator/server/body_room.h"
#include "emulator/server/server.h"
#include "http/stream.h"

namespace llama::emulator {

class Connection final : public Exchange {
 public:
  struct World {
    const ServerOptions& options;
    Handler& handler;
    Lines* lines;     // nullptr: no limits
    RequestLog* log;  // nullptr: none
    BodyRoom& room;
    const Clock& clock;
    std::atomic<uint64_t>& next_id;
    int drain_fd;  // readable: take no more requests
    int stop_fd;   // readable: end at once
  };

  Connection(const World& world, http::Stream stream, std::string peer);

  // Until either side has had enough.
  void Run();

  bool Abandoned() const override;
  bool SleepUntil(int64_t monotonic_ns) const override;

 private:
  // False: the connection ends.
  bool ServeOne();
  Result<Request> ReadRequest(BodyRoom::Share& room);
  Result<void> ReadBody(http::Message& message, Request& request, BodyRoom::Share& room);
  // True: the connection may go on.
  bool Answer(const Request& request, Response& response);
  std::string Head(const Request& request, const Response& response) const;
  // How much of head and body goes out; less than all of it if a fault cuts it.
  Result<void> Send(const Request& request, const Response& response, const std::string& head,
                    uint64_t limit);
  Result<void> SendFile(const Response& response, uint64_t limit);
  Result<void> SendPaced(std::string_view bytes, const std::string& worker);
  void Break();
  void Refuse(int status, std::string_view text);
  // Reads on for a little, so that the answer is not lost to a reset.
  void Linger();
  http::Wait Wait(int64_t ms) const;

  const World world_;
  http::Stream stream_;
  const std::string peer_;
  ConnectionLines lines_;
  bool keep_alive_ = true;
  uint64_t sent_ = 0;  // of the answer's body
};

}  // namespace llama::emulator
