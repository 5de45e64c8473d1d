#include "generator.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <queue>
#include <random>
#include <vector>

#include "base/file.h"
#include "builds/record.h"
#include "trace/pricing.h"
#include "trace/trace_file.h"

namespace llama::bench {
namespace {

constexpr int64_t kUs = 1000;
constexpr int64_t kMs = 1'000'000;
constexpr int64_t kStartNs = 1'795'335'650'123'456'789;  // 2026-11-22T08:20:50Z

// The standard library's distributions differ between versions; these do not.
class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  uint64_t Bits() { return engine_(); }
  double Unit() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }
  int64_t Between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(Unit() * static_cast<double>(high - low + 1));
  }
  bool Chance(double p) { return Unit() < p; }
  // `least` and then an exponential tail with this mean.
  int64_t Latency(int64_t least_ns, int64_t mean_ns) {
    return least_ns - static_cast<int64_t>(std::log(1.0 - Unit()) * static_cast<double>(mean_ns));
  }
  int64_t LogNormal(double median_ns, double sigma) {
    const double normal =
        std::sqrt(-2 * std::log(1.0 - Unit())) * std::cos(6.283185307179586 * Unit());
    return static_cast<int64_t>(median_ns * std::exp(sigma * normal));
  }

 private:
  std::mt19937_64 engine_;
};

// Plain lines, or the daemon's own writer.
class Output {
 public:
  static Result<Output> Open(const std::string& dir, bool compressed) {
    Output out;
    if (compressed) {
      ASSIGN_OR_RETURN(out.writer_, trace::TraceWriter::Open(dir + "/trace.ndjson.zst"));
    } else {
      out.path_ = dir + "/trace.ndjson";
      ASSIGN_OR_RETURN(out.fd_, OpenFile(out.path_, O_WRONLY | O_CREAT | O_TRUNC, 0600));
    }
    return out;
  }
  void Add(const trace::Span& span) {
    ++spans_;
    if (writer_) return writer_->Add(span);
    trace::AppendJsonLine(buffer_, span);
    if (buffer_.size() > (1u << 20)) Write();
  }
  Result<uint64_t> Finish() {
    if (writer_) {
      TRY(writer_->Flush());
    } else {
      Write();
      if (failed_) return Error{Code::kUnavailable, path_ + ": can't be written"};
    }
    return spans_;
  }

 private:
  void Write() {
    if (!WriteAll(fd_.get(), buffer_, path_)) failed_ = true;
    buffer_.clear();
  }

  std::unique_ptr<trace::TraceWriter> writer_;
  std::string path_;
  Fd fd_;
  std::string buffer_;
  uint64_t spans_ = 0;
  bool failed_ = false;
};

struct Worker {
  std::string id;
  int64_t offset_ns = 0;  // to add to its times
  int64_t jobs = 0;
  int64_t lives = 0;  // jobs until another takes its place
};

constexpr std::array<const char*, 12> kFolders = {"drivers/net/ethernet/intel/ice",
                                                  "drivers/gpu/drm/amd/display/dc",
                                                  "fs/ext4",
                                                  "kernel/sched",
                                                  "net/ipv4",
                                                  "sound/soc/codecs",
                                                  "drivers/media/usb/dvb-usb",
                                                  "arch/x86/kernel/cpu",
                                                  "drivers/staging/rtl8723bs/core",
                                                  "lib/crypto",
                                                  "mm",
                                                  "drivers/infiniband/hw/mlx5"};

// Of a kernel's compile, some of them.
constexpr std::string_view kKernelFlags =
    "-nostdinc -I./arch/x86/include -I./arch/x86/include/generated -I./include "
    "-I./arch/x86/include/uapi -I./arch/x86/include/generated/uapi -I./include/uapi "
    "-I./include/generated/uapi -include ./include/linux/compiler-version.h -include "
    "./include/linux/kconfig.h -include ./include/linux/compiler_types.h -D__KERNEL__ "
    "-fmacro-prefix-map=./= -Wall -Wundef -Werror=strict-prototypes -Wno-trigraphs "
    "-fno-strict-aliasing -fno-common -fshort-wchar -fno-PIE -Werror=implicit-int "
    "-Wno-format-security -std=gnu11 -mno-sse -mno-mmx -mno-sse2 -mno-3dnow -mno-avx "
    "-fcf-protection=none -m64 -falign-jumps=1 -falign-loops=1 -mno-80387 -mno-fp-ret-in-387 "
    "-mpreferred-stack-boundary=3 -mskip-rax-setup -mtune=generic -mno-red-zone -mcmodel=kernel "
    "-Wno-sign-compare -fno-asynchronous-unwind-tables -mindirect-branch=thunk-extern "
    "-mindirect-branch-register -mfunction-return=thunk-extern -fno-jump-tables "
    "-mharden-sls=all -fno-delete-null-pointer-checks -Wno-frame-address -Wno-format-truncation "
    "-O2 -fno-allow-store-data-races -fstack-protector-strong -Wno-main -fomit-frame-pointer";

class Generator {
 public:
  Generator(const GeneratorOptions& options, std::string build_id, Output output)
      : options_(options),
        random_(options.seed),
        build_id_(std::move(build_id)),
        out_(std::move(output)),
        root_(Fresh()) {
    for (int i = 0; i < options.slots; ++i) workers_.push_back(NewWorker());
  }

  Result<uint64_t> Run() {
    using Slot = std::pair<int64_t, size_t>;  // when it is free
    std::priority_queue<Slot, std::vector<Slot>, std::greater<>> slots;
    for (size_t i = 0; i < workers_.size(); ++i)
      slots.emplace(kStartNs + random_.Between(0, kMs), i);
    int64_t end_ns = kStartNs;
    for (int i = 0; i < options_.compiles; ++i) {
      const auto [free_ns, slot] = slots.top();
      slots.pop();
      const int64_t done_ns = Compile(free_ns, slot, i);
      end_ns = std::max(end_ns, done_ns);
      slots.emplace(done_ns + random_.Latency(200 * kUs, 500 * kUs), slot);
    }
    trace::Span build{root_.trace_id, root_.span_id, 0, "build", kStartNs, end_ns - kStartNs, {}};
    build.Set("global.build_id", build_id_);
    build.Set("command", "make -j200 CC=llamacc");
    build.Set("cpus", 16);
    build.Set("status", 0);
    out_.Add(build);
    return out_.Finish();
  }

  const std::string& truth() const { return truth_; }

 private:
  trace::Context Fresh() { return {{random_.Bits() | 1, random_.Bits()}, random_.Bits() | 1}; }

  Worker NewWorker() {
    Worker worker;
    worker.id = trace::Hex(random_.Bits() | 1);
    worker.offset_ns = random_.Between(-options_.max_skew_ns, options_.max_skew_ns);
    worker.lives = random_.Between(40, 800);
    truth_ += worker.id + "," + std::to_string(worker.offset_ns) + "\n";
    return worker;
  }

  trace::Span Child(const trace::Context& parent, const char* name, int64_t start_ns,
                    int64_t duration_ns) {
    return {parent.trace_id, random_.Bits() | 1, parent.span_id, name, start_ns, duration_ns, {}};
  }

  int64_t Compile(int64_t start_ns, size_t slot, int number) {
    const trace::Context root = Fresh();
    int64_t now_ns = start_ns;
    const auto phase = [&](const char* name, int64_t duration_ns) {
      trace::Span span = Child(root, name, now_ns, duration_ns);
      now_ns += duration_ns;
      return span;
    };
    out_.Add(phase("send", random_.Latency(80 * kUs, 60 * kUs)));
    out_.Add(phase("parse", random_.Latency(50 * kUs, 30 * kUs)));
    const bool local = random_.Chance(0.04);
    std::vector<trace::Span> remote;
    if (local) {
      out_.Add(phase("queue", random_.Latency(10 * kUs, 40 * kMs)));
      out_.Add(phase("local", random_.LogNormal(300e6, 0.8)));
    } else {
      trace::Span scan = phase("scan", random_.Latency(400 * kUs, 900 * kUs));
      scan.Set("rung", "scan");
      scan.Set("files", random_.Between(40, 900));
      out_.Add(scan);
      out_.Add(Sync(phase("sync", random_.Latency(60 * kUs, 2 * kMs))));
      remote = Invoke(root, slot, now_ns);
      for (size_t i = 0; options_.wide && i < 690; ++i) remote.push_back(WideChild(remote[0]));
      out_.Add(remote[0]);
      now_ns = remote[0].end_ns();
      trace::Span verify = phase("verify", random_.Latency(200 * kUs, 400 * kUs));
      verify.Set("lookups", random_.Between(300, 4000));
      out_.Add(verify);
      trace::Span write = phase("write", random_.Latency(150 * kUs, 300 * kUs));
      write.Set("output_files", 2);
      write.Set("output_bytes", random_.LogNormal(60e3, 1.0));
      out_.Add(write);
      out_.Add(phase("reply", random_.Latency(60 * kUs, 50 * kUs)));
      for (size_t i = 1; i < remote.size(); ++i) out_.Add(remote[i]);
    }
    trace::Span span{root.trace_id, root.span_id, 0, "llamacc", start_ns, now_ns - start_ns, {}};
    Describe(span, number, local);
    out_.Add(span);
    return now_ns;
  }

  void Describe(trace::Span& span, int number, bool local) {
    const std::string folder = kFolders[static_cast<size_t>(number) % kFolders.size()];
    const std::string stem = folder + "/unit_" + std::to_string(number / 12);
    span.Set("global.build_id", build_id_);
    span.Set("link.trace_id", trace::Hex(root_.trace_id));
    span.Set("link.span_id", trace::Hex(root_.span_id));
    span.Set("compiler", "/usr/bin/gcc");
    span.Set("pid", 1000 + number % 4'000'000);
    span.Set("source", stem + ".c");
    span.Set("object", stem + ".o");
    span.Set("args", "gcc -Wp,-MMD," + folder + "/.unit.o.d " + std::string(kKernelFlags) +
                         " -DKBUILD_MODFILE='\"" + stem + "\"' -c -o " + stem + ".o " + stem +
                         ".c");
    span.Set("rung", local ? "" : "scan");
    span.Set("remote", !local);
    if (local) {
      span.Set("reason", random_.Chance(0.5) ? "link" : "unsafe-option:-march=native");
    } else {
      span.Set("status", random_.Chance(0.002) ? 1 : 0);
      span.Set("local.user_ns", random_.Between(500, 1500) * kUs);
      span.Set("local.system_ns", random_.Between(0, 400) * kUs);
    }
  }

  trace::Span Sync(trace::Span span) {
    const bool uploads = random_.Chance(0.08);
    span.Set("layers", random_.Between(6, 14));
    span.Set("inline_files", random_.Between(0, 3));
    span.Set("uploaded_objects", uploads ? random_.Between(1, 4) : 0);
    span.Set("uploaded_bytes", uploads ? random_.LogNormal(200e3, 1.2) : 0);
    span.Set("store_requests", uploads ? random_.Between(1, 6) : 0);
    return span;
  }

  // The invocation first, then what its worker recorded, by the worker's clock.
  std::vector<trace::Span> Invoke(const trace::Context& root, size_t slot, int64_t start_ns) {
    Worker& worker = workers_[slot];
    if (worker.lives-- == 0) worker = NewWorker();
    const bool cold = worker.jobs++ == 0;
    const int64_t queued_ns = random_.Chance(0.1) ? random_.Latency(0, 3 * kMs) : 0;
    const int64_t init_ns = cold ? random_.Latency(120 * kMs, 60 * kMs) : 0;
    const int64_t up_ns = random_.Latency(1200 * kUs, 2500 * kUs);
    const int64_t down_ns = random_.Latency(900 * kUs, 2200 * kUs);
    const int64_t receive_ns = random_.Latency(80 * kUs, 60 * kUs);
    const int64_t materialise_ns = random_.Latency(cold ? 80 * kMs : 300 * kUs, 2 * kMs);
    const int64_t exec_ns = random_.LogNormal(900e6, 0.7);
    const int64_t collect_ns = random_.Latency(200 * kUs, 300 * kUs);
    const int64_t inside_ns = receive_ns + materialise_ns + exec_ns + collect_ns;
    const int64_t payload = random_.LogNormal(15e3, 0.8);
    const int64_t fetched = cold ? random_.Between(8, 20) : random_.Between(0, 1);
    const int64_t fetched_bytes = fetched * random_.Between(100'000, 4'000'000);
    const int64_t user_ns = exec_ns / 10 * 9;
    const int64_t rss = random_.Between(30'000, 180'000) * 1024;

    std::vector<trace::Span> spans;
    spans.push_back(
        Child(root, "invoke", start_ns, queued_ns + init_ns + up_ns + inside_ns + down_ns));
    trace::Span& invoke = spans[0];
    const int64_t billed_ms = (inside_ns + init_ns) / kMs + 1;
    invoke.Set("function", "lambda:llama-gcc");
    invoke.Set("attempt", 1);
    invoke.Set("payload_bytes", payload);
    invoke.Set("answer_bytes", random_.LogNormal(40e3, 0.9));
    invoke.Set("queued_ns", queued_ns);
    invoke.Set("billed_ms", billed_ms);
    invoke.Set("memory_mb", 1769);
    invoke.Set("cold_start", cold);
    if (cold) invoke.Set("init_ns", init_ns);
    invoke.Set("cost_usd", trace::LambdaCostUsd(billed_ms, 1769));
    invoke.Set("worker_id", worker.id);
    invoke.Set("worker_jobs", worker.jobs);
    invoke.Set("fetched_objects", fetched);
    invoke.Set("fetched_bytes", fetched_bytes);
    invoke.Set("user_ns", user_ns);
    invoke.Set("system_ns", exec_ns / 15);
    invoke.Set("max_rss_bytes", rss);
    const trace::Context invoked = invoke.context();

    int64_t there_ns = start_ns + queued_ns + init_ns + up_ns - worker.offset_ns;
    trace::Span run = Child(invoked, "worker", there_ns, inside_ns);
    run.Set("worker_id", worker.id);
    run.Set("job_count", worker.jobs);
    run.Set("cold_start", cold);
    run.Set("outcome", "ran");
    const trace::Context inside = run.context();
    spans.push_back(run);
    const auto step = [&](const char* name, int64_t duration_ns) -> trace::Span& {
      spans.push_back(Child(inside, name, there_ns, duration_ns));
      there_ns += duration_ns;
      return spans.back();
    };
    step("receive", receive_ns).Set("payload_bytes", payload);
    trace::Span& materialise = step("materialise", materialise_ns);
    materialise.Set("layers", 10);
    materialise.Set("fetched_objects", fetched);
    materialise.Set("fetched_bytes", fetched_bytes);
    materialise.Set("files_written", fetched * 40);
    materialise.Set("files_removed", 1);
    materialise.Set("evicted_bytes", 0);
    if (fetched > 0) {
      trace::Span fetch =
          Child(materialise.context(), "fetch", materialise.start_ns, materialise_ns / 2);
      fetch.Set("bytes", fetched_bytes);
      spans.push_back(fetch);
    }
    trace::Span& exec = step("exec", exec_ns);
    exec.Set("exit_status", 0);
    exec.Set("user_ns", user_ns);
    exec.Set("system_ns", exec_ns / 15);
    exec.Set("max_rss_bytes", rss);
    const trace::Context compiler = exec.context();
    const int64_t exec_start_ns = exec.start_ns;
    if (random_.Chance(0.5)) {
      trace::Span front = Child(compiler, "cc1", exec_start_ns, exec_ns / 10 * 9);
      front.Set("user_ns", exec_ns / 10 * 8);
      trace::Span back = Child(compiler, "as", exec_start_ns + exec_ns / 10 * 9, exec_ns / 10);
      back.Set("user_ns", exec_ns / 11);
      spans.push_back(std::move(front));
      spans.push_back(std::move(back));
    }
    trace::Span& collect = step("collect", collect_ns);
    collect.Set("outputs", 2);
    collect.Set("output_bytes", random_.LogNormal(60e3, 1.0));
    collect.Set("found", random_.Between(100, 900));
    collect.Set("absent", random_.Between(300, 3000));
    return spans;
  }

  // Requests of one trace that overlap.
  trace::Span WideChild(const trace::Span& parent) {
    const int64_t start_ns = parent.start_ns + random_.Between(0, parent.duration_ns / 2);
    trace::Span span =
        Child(parent.context(), "s3.get", start_ns, random_.Between(0, parent.duration_ns / 2));
    span.Set("bytes", random_.Between(100, 1'000'000));
    span.Set("key", "objects/" + trace::Hex(random_.Bits()));
    span.Set("status", random_.Chance(0.99) ? 200 : 503);
    return span;
  }

  const GeneratorOptions options_;
  Random random_;
  const std::string build_id_;
  Output out_;
  const trace::Context root_;
  std::vector<Worker> workers_;
  std::string truth_;
};

}  // namespace

Result<uint64_t> GenerateBuild(const std::string& dir, const GeneratorOptions& options) {
  TRY(MakeDirs(dir, 0700));
  TRY(RemoveTree(dir + "/trace.ndjson"));
  TRY(RemoveTree(dir + "/trace.ndjson.zst"));
  const std::string id(BaseName(dir));
  ASSIGN_OR_RETURN(Output output, Output::Open(dir, options.compressed));
  Generator generator(options, id, std::move(output));
  ASSIGN_OR_RETURN(const uint64_t spans, generator.Run());
  TRY(WriteFileAtomic(dir + "/truth.csv", generator.truth(), 0600));
  builds::BuildRecord record;
  record.id = id;
  record.command = {"make", "-j200", "CC=llamacc"};
  record.start_ns = kStartNs;
  record.cpus = 16;
  TRY(builds::WriteBuildRecord(dir, record));
  return spans;
}

}  // namespace llama::bench
