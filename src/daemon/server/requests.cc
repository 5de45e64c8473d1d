// What the server's loop does with frames, and with what job threads hand back.
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/server/loop.h"
#include "daemon/server/metrics.h"
#include "daemon/server/scrape.h"
#include "session/socket.h"

namespace llama::daemon {
namespace {

using State = Connection::State;

// An end of a build waits for the jobs that were cancelled with it, but not for ever.
constexpr int64_t kEndBuildWaitNs = 5'000'000'000;
// Under steady traffic of other builds the loop is never quiet; this many passes are enough for
// every hang-up that came before.
constexpr int kEndBuildPasses = 8;
// `llama build` connects again a second after it lost its connection, if it is alive.
constexpr int64_t kBuildLostNs = 2'000'000'000;

std::string ErrorOf(const Result<void>& result) { return result ? "" : result.error().message; }

}  // namespace

bool Server::Loop::OnFrame(Id id, Connection& connection, session::Frame frame) {
  switch (connection.state) {
    case State::kGreeting:
      return frame.type == session::FrameType::kHello && OnHello(id, connection, frame.body);
    case State::kWelcomed:
      return OnRequest(id, connection, frame);
    case State::kDelivered: {
      Result<session::Done> done = session::DecodeDone(frame.body);
      if (frame.type != session::FrameType::kDone || !done || connection.done) return false;
      connection.done = *done;
      return true;
    }
    default:
      return false;  // speaks out of turn
  }
}

bool Server::Loop::OnHello(Id id, Connection& connection, const std::string& body) {
  const Result<session::Hello> hello = session::DecodeHello(body);
  if (!hello) return false;
  connection.observer = hello->build_id.empty();
  if (!connection.observer) last_activity_ns_ = MonotonicNs();
  if (hello->version == session::kProtocolVersion &&
      (connection.observer || hello->build_id == options_.build_id)) {
    connection.state = State::kWelcomed;
    const session::Welcome welcome{options_.build_id, static_cast<uint32_t>(getpid())};
    return SendTo(id, connection,
                  session::EncodeFrame(session::FrameType::kWelcome, Encode(welcome)));
  }
  connection.state = State::kRefused;
  const bool busy = !Idle();
  LOG(kInfo, "connection " + std::to_string(id) + " is of another build; " +
                 (busy ? "busy, so it runs locally" : "giving way"));
  const session::Refuse refuse{busy, options_.build_id};
  if (!SendTo(id, connection, session::EncodeFrame(session::FrameType::kRefuse, Encode(refuse)))) {
    return false;
  }
  if (!busy) BeginStop("a wrapper of another build");
  return connection.has_output();
}

bool Server::Loop::OnRequest(Id id, Connection& connection, session::Frame& frame) {
  if (connection.observer && frame.type != session::FrameType::kStatus &&
      frame.type != session::FrameType::kStop) {
    return false;
  }
  switch (frame.type) {
    case session::FrameType::kCompile:
    case session::FrameType::kRunCommand:
      return StartJob(id, connection, std::move(frame));
    case session::FrameType::kStatus:
      return ServeStatus(id, connection, frame.body);
    case session::FrameType::kBeginBuild: {
      Result<session::BeginBuild> build = session::DecodeBeginBuild(frame.body);
      if (!build) return false;
      ForgetBuild(build->id);
      connection.build_id = build->id;
      return Serve(id, connection, [this, build = *std::move(build)] {
        const session::Ack ack{ErrorOf(pipeline_.BeginBuild(build))};
        return session::EncodeFrame(session::FrameType::kAck, Encode(ack));
      });
    }
    case session::FrameType::kEndBuild: {
      Result<session::EndBuild> build = session::DecodeEndBuild(frame.body);
      if (!build) return false;
      connection.state = State::kServed;
      ForgetBuild(build->id);
      waiting_ends_.push_back({id, *std::move(build), MonotonicNs(), 0});
      return true;
    }
    case session::FrameType::kStop:
      connection.state = State::kStopping;
      if (!SendTo(id, connection,
                  session::EncodeFrame(session::FrameType::kAck, Encode(session::Ack{})))) {
        return false;
      }
      BeginStop("told to");
      return true;
    default:
      return false;
  }
}

Result<std::unique_ptr<Job>> Server::Loop::JobOf(const session::Frame& frame, int64_t received_ns) {
  if (frame.type == session::FrameType::kRunCommand) {
    ASSIGN_OR_RETURN(session::RunCommand request, session::DecodeRunCommand(frame.body));
    return pipeline_.StartCommand(std::move(request), received_ns);
  }
  ASSIGN_OR_RETURN(session::Compile request, session::DecodeCompile(frame.body));
  return pipeline_.Start(std::move(request), received_ns);
}

std::string Server::Loop::FrameOf(const Verdict& verdict) {
  if (const auto* result = std::get_if<session::CompileResult>(&verdict)) {
    return session::EncodeFrame(session::FrameType::kResult, Encode(*result));
  }
  if (const auto* result = std::get_if<session::CommandResult>(&verdict)) {
    return session::EncodeFrame(session::FrameType::kCommandResult, Encode(*result));
  }
  const session::RunLocally answer{std::get<RunHere>(verdict).reason};
  return session::EncodeFrame(session::FrameType::kRunLocally, Encode(answer));
}

// A request may have 80 MiB: it is decoded on the job's thread.
bool Server::Loop::StartJob(Id id, Connection& connection, session::Frame frame) {
  // A wrapper whose connection is closed runs its compiler.
  if (stopping_) return false;
  auto running = std::make_shared<RunningJob>();
  connection.state = State::kRunning;
  connection.running = running;
  connection.last_sent_ns = MonotonicNs();
  const int64_t received_ns = MonotonicNs();
  return jobs_.Post([this, id, running, received_ns, frame = std::move(frame)]() mutable {
    Result<std::unique_ptr<Job>> job = JobOf(frame, received_ns);
    frame.body = std::string();
    if (!job) {
      LOG(kWarning, "connection " + std::to_string(id) + ": " + job.error().message);
      return Complete({id, false, {}, running});
    }
    running->job = *std::move(job);
    const Verdict verdict = running->job->Run([&] { return running->cancelled.load(); });
    Complete({id, std::holds_alternative<RunHere>(verdict), FrameOf(verdict), running});
  });
}

// Answers a request that is not a compile from the pipeline's own thread.
bool Server::Loop::Serve(Id id, Connection& connection, std::function<std::string()> answer) {
  connection.state = State::kServed;
  return after_.Post([this, id, answer = std::move(answer)] {
    Complete({id, false, answer(), nullptr});
  });
}

bool Server::Loop::ServeStatus(Id id, Connection& connection, const std::string& body) {
  const Result<session::StatusRequest> request = session::DecodeStatusRequest(body);
  if (!request) return false;
  return Serve(id, connection,
               [this, status = StatusNow(), build_id = request->build_id]() mutable {
                 status.counters = pipeline_.CountersOf(build_id);
                 pipeline_.FillStatus(status);
                 return session::EncodeFrame(session::FrameType::kStatusReply, Encode(status));
               });
}

session::Status Server::Loop::StatusNow() const {
  session::Status status;
  status.pid = static_cast<uint32_t>(getpid());
  status.build_id = options_.build_id;
  status.start_ns = start_ns_;
  status.connections = connections_.size();
  status.local_slots = options_.cpu->local_slots();
  return status;
}

// Until its answer is written it has the time that a greeting has.
bool Server::Loop::OnScrape(Id id, Connection& connection) {
  connection.is_scraper = true;
  connection.observer = true;
  if (connection.state != State::kGreeting) return true;
  const Scrape scrape = ParseScrape(connection.unread());
  if (scrape == Scrape::kIncomplete) return true;
  Metrics metrics;
  metrics.status = StatusNow();
  metrics.up_ns = options_.clock->NowNs() - start_ns_;
  metrics.busy_threads = jobs_.pending();
  metrics.waiting_records = after_.pending();
  metrics.waiting_slots = options_.cpu->waiting();
  metrics.held_slots = options_.cpu->held();
  metrics.scans = static_cast<uint64_t>(options_.cpu->scans());
  return Serve(id, connection, [this, scrape, metrics = std::move(metrics)]() mutable {
    metrics.status.counters = pipeline_.CountersOf("");
    pipeline_.FillStatus(metrics.status);
    pipeline_.FillMetrics(metrics);
    FillProcess(metrics);
    return HttpAnswer(scrape, FormatMetrics(metrics));
  });
}

// The hang-ups of a build's last wrappers may be behind its EndBuild in the same batch of events,
// and its cancelled jobs may still be ending; their spans belong before the end.
void Server::Loop::StartWaitingEnds(bool quiet, int64_t now_ns) {
  for (auto end = waiting_ends_.begin(); end != waiting_ends_.end();) {
    ++end->busy_passes;
    const bool settled = quiet || end->busy_passes > kEndBuildPasses;
    const bool waited = now_ns - end->since_ns > kEndBuildWaitNs;
    if (!waited && (!settled || !orphans_.empty())) {
      ++end;
      continue;
    }
    const auto connection = connections_.find(end->id);
    if (connection != connections_.end()) {
      const bool posted = Serve(end->id, connection->second, [this, build = std::move(end->build)] {
        const session::Ack ack{ErrorOf(pipeline_.EndBuild(build))};
        return session::EncodeFrame(session::FrameType::kAck, Encode(ack));
      });
      if (!posted) Close(end->id);
    }
    end = waiting_ends_.erase(end);
  }
}

// It has ended, or is another connection's.
void Server::Loop::ForgetBuild(const std::string& build_id) {
  lost_builds_.erase(build_id);
  for (auto& [id, connection] : connections_) {
    if (connection.build_id == build_id) connection.build_id.clear();
  }
}

void Server::Loop::AbandonBuilds(int64_t now_ns) {
  for (auto lost = lost_builds_.begin(); lost != lost_builds_.end();) {
    if (now_ns - lost->second < kBuildLostNs) {
      ++lost;
      continue;
    }
    after_.Post([this, build_id = lost->first, gone_ns = lost->second] {
      pipeline_.AbandonBuild(build_id, gone_ns);
    });
    lost = lost_builds_.erase(lost);
  }
}

void Server::Loop::Complete(Completion completion) {
  {
    const MutexLock lock(mutex_);
    completions_.push_back(std::move(completion));
  }
  Wake();
}

void Server::Loop::TakeCompletions() {
  std::vector<Completion> completions;
  {
    const MutexLock lock(mutex_);
    completions.swap(completions_);
  }
  for (Completion& completion : completions) OnCompletion(std::move(completion));
}

void Server::Loop::OnCompletion(Completion completion) {
  const auto found = connections_.find(completion.id);
  if (found == connections_.end()) {
    // Nobody waits any more. (Only compiles are orphans.)
    orphans_.erase(completion.id);
    if (completion.running && completion.running->job)
      FinishLater(std::move(completion.running), std::nullopt);
    return;
  }
  Connection& connection = found->second;
  if (!completion.running) {
    connection.state = connection.is_scraper ? State::kRefused : State::kWelcomed;
    const bool sent = SendTo(completion.id, connection, std::move(completion.frame));
    if (!sent || (connection.is_scraper && !connection.has_output())) Close(completion.id);
    return;
  }
  if (completion.local) {
    connection.state = State::kWaiting;
    connection.pending = std::move(completion.frame);
    options_.cpu->Request(completion.id, session::PeerPid(connection.fd()), MonotonicNs());
    return;
  }
  if (!completion.running->job) {  // a malformed request
    connection.state = State::kRefused;
    return Close(completion.id);
  }
  connection.state = State::kDelivered;
  if (!SendTo(completion.id, connection, std::move(completion.frame))) Close(completion.id);
}

void Server::Loop::GrantSlots() {
  while (const std::optional<Id> id = options_.cpu->Grant(MonotonicNs())) {
    const auto found = connections_.find(*id);
    if (found == connections_.end()) {
      options_.cpu->Release(*id, MonotonicNs());
      continue;
    }
    Connection& connection = found->second;
    connection.state = State::kLocal;
    const int64_t now_ns = MonotonicNs();
    after_.Post([running = connection.running, now_ns] { running->job->SlotGranted(now_ns); });
    if (!SendTo(*id, connection, std::move(connection.pending))) Close(*id);
  }
}

void Server::Loop::Close(Id id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  Connection connection = std::move(found->second);
  connections_.erase(found);
  // Who looks from time to time keeps no daemon alive that nobody uses.
  if (!connection.observer) last_activity_ns_ = MonotonicNs();
  // A build outlives a daemon that is told to end.
  if (!connection.build_id.empty() && !stopping_) lost_builds_[connection.build_id] = MonotonicNs();
  switch (connection.state) {
    case State::kRunning:
      connection.running->cancelled = true;
      orphans_.emplace(id, std::move(connection.running));
      break;
    case State::kWaiting:
    case State::kLocal:
      options_.cpu->Release(id, MonotonicNs());
      FinishLater(std::move(connection.running), std::nullopt);
      break;
    case State::kDelivered:
      FinishLater(std::move(connection.running), connection.done);
      break;
    default:
      break;
  }
  PauseAccepting(false);
}

void Server::Loop::FinishLater(std::shared_ptr<RunningJob> running,
                               std::optional<session::Done> done) {
  const int64_t now_ns = MonotonicNs();
  after_.Post([running = std::move(running), done, now_ns]() mutable {
    running->job->Finished(done, now_ns);
    running.reset();
  });
}

}  // namespace llama::daemon
