// Real programs in a mirror: they must run with the view's loader and libraries, not the machine's.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/process.h"
#include "files/digest_cache.h"
#include "files/path_walker.h"
#include "mirror/elf_interp.h"
#include "mirror/mirror.h"
#include "tree/tree_testing.h"

namespace llama::mirror {
namespace {

std::string Output(const std::string& program, std::vector<std::string> args) {
  ProcessOptions options;
  options.program = program;
  options.argv = std::move(args);
  options.argv.insert(options.argv.begin(), program);
  options.env = {"PATH=/usr/bin:/bin"};
  const Result<ProcessResult> result = RunProcess(options);
  EXPECT_TRUE(result) << result.error().message;
  std::string out = result ? result->out : "";
  while (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

// The shared libraries and the loader of a program.
std::vector<std::string> LibrariesOf(const std::string& program) {
  std::vector<std::string> paths;
  std::istringstream words(Output("/usr/bin/ldd", {program}));
  for (std::string word; words >> word;) {
    if (word.front() == '/') paths.push_back(word);
  }
  return paths;
}

// The parameter: what is put into the name of the mirror's folder to make it long.
class MirrorElfTest : public testing::TestWithParam<std::string> {
 protected:
  MirrorElfTest() { mirror_ = *Mirror::Open({.dir = temp_.path() + GetParam()}, *store_); }

  void Ship(const std::string& program) {
    for (const std::string& path : LibrariesOf(program)) {
      ASSERT_TRUE(walker_->Add(path));
      library_dirs_ += mirror_->root() + std::string(DirName(path)) + ":";
    }
    ASSERT_TRUE(walker_->Add(program));
  }

  tree::LayerRef Put(const tree::Manifest& manifest) {
    const std::unique_ptr<tree::BlobSource> source = tree::NewLocalFileSource();
    const Result<tree::LayerObject> layer = tree::BuildLayer(manifest, *source);
    EXPECT_TRUE(layer) << layer.error().message;
    EXPECT_TRUE(store_->Put(layer->key, layer->bytes));
    return {layer->key, layer->bytes.size()};
  }

  ProcessResult Run(const std::string& program, std::vector<std::string> args) {
    ProcessOptions options;
    options.program = mirror_->root() + program;
    options.argv = std::move(args);
    options.argv.insert(options.argv.begin(), options.program);
    options.env = {"LD_LIBRARY_PATH=" + library_dirs_, "PATH=" + mirror_->root() + "/usr/bin",
                   "TMPDIR=" + temp_.path()};
    options.cwd = temp_.path();
    options.keep_fds = mirror_->keep_fds();
    Result<ProcessResult> result = RunProcess(options);
    EXPECT_TRUE(result) << result.error().message;
    return result ? *std::move(result) : ProcessResult{};
  }

  // A name as short as can be, or links to loaders would not fit into programs.
  struct ShortDir {
    ShortDir() { EXPECT_NE(mkdtemp(name.data()), nullptr); }
    ~ShortDir() { EXPECT_TRUE(RemoveTree(name)); }
    const std::string& path() const { return name; }
    std::string name = "/tmp/ll-XXXXXX";
  };

  ShortDir temp_;
  std::unique_ptr<files::DigestCache> digests_ = *files::DigestCache::Open("", SystemClock());
  std::unique_ptr<store::ObjectStore> store_ = store::NewMemoryStore();
  std::unique_ptr<files::PathWalker> walker_ = std::make_unique<files::PathWalker>(*digests_);
  std::unique_ptr<Mirror> mirror_;
  std::string library_dirs_;
};

INSTANTIATE_TEST_SUITE_P(ByLink, MirrorElfTest, testing::Values("/m"));
INSTANTIATE_TEST_SUITE_P(ByDescriptor, MirrorElfTest,
                         testing::Values("/a-name-too-long-for-a-loader/m"));

TEST_P(MirrorElfTest, ProgramsRunWithTheViewsLoader) {
  Ship("/bin/cat");
  ASSERT_TRUE(mirror_->Prepare({{Put(walker_->manifest())}, {}, {}}));
  EXPECT_EQ(mirror_->keep_fds().empty(), GetParam() == "/m");
  const ProcessResult result = Run("/bin/cat", {"/proc/self/maps"});
  ASSERT_EQ(result.ExitCode(), 0) << result.err;
  std::istringstream lines(result.out);
  int mapped = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.find(" /") == std::string::npos) continue;
    if (line.find("locale") != std::string::npos) continue;
    EXPECT_NE(line.find(mirror_->root()), std::string::npos) << line;
    ++mapped;
  }
  EXPECT_GT(mapped, 2);
}

TEST_P(MirrorElfTest, ProgramsStayAsTheyAreWithoutALoaderInTheView) {
  Ship("/bin/cat");
  const std::string cat = *RealPath("/bin/cat");
  const std::string original = *ReadFile(cat);
  const std::string interp = FindElfInterp(original)->path;
  const std::string loader = *RealPath(interp);
  tree::Manifest without = walker_->manifest();
  without.erase(loader);
  const tree::LayerRef programs = Put(without);
  const tree::LayerRef loaders = Put({{loader, walker_->manifest().at(loader)}});
  ASSERT_TRUE(mirror_->Prepare({{programs}, {}, {}}));
  EXPECT_EQ(*ReadFile(mirror_->root() + cat), original);
  EXPECT_TRUE(mirror_->keep_fds().empty());
  ASSERT_TRUE(mirror_->Prepare({{programs, loaders}, {}, {}}));
  EXPECT_EQ(Run(cat, {"/dev/null"}).ExitCode(), 0);
  const std::string patched = *ReadFile(mirror_->root() + cat);
  EXPECT_NE(patched, original);
  EXPECT_EQ(patched.size(), original.size());
  ASSERT_TRUE(mirror_->Prepare({{programs}, {}, {}}));
  EXPECT_EQ(*ReadFile(mirror_->root() + cat), original);
}

TEST_P(MirrorElfTest, AProgramOfTheJobsOwnIsPatchedToo) {
  Ship("/bin/cat");
  const tree::LayerRef layer = Put(walker_->manifest());
  const tree::View view{{layer}, {{"/own/cat", true, *ReadFile("/bin/cat")}}, {}};
  ASSERT_TRUE(mirror_->Prepare(view));
  const ProcessResult result = Run("/own/cat", {"/proc/self/maps"});
  EXPECT_NE(result.out.find(mirror_->root() + "/own/cat"), std::string::npos);
  const std::string interp = FindElfInterp(view.files[0].bytes)->path;
  EXPECT_EQ(result.out.find(std::string(" ").append(*RealPath(interp))), std::string::npos);
  EXPECT_EQ(mirror_->Prepare(view)->files_written, 0u);
}

TEST_P(MirrorElfTest, CompilesAsTheLocalCompilerDoes) {
  if (access("/usr/bin/gcc", X_OK) != 0) GTEST_SKIP() << "no gcc";
  for (const char* part : {"cc1", "as"}) {
    const std::string path = Output("/usr/bin/gcc", {std::string("-print-prog-name=") + part});
    Ship(path.front() == '/' ? path : "/usr/bin/" + path);
  }
  Ship("/usr/bin/gcc");
  const std::string source = temp_.path() + "/t.c";
  ASSERT_TRUE(WriteFileAtomic(source, "int f(int x) { return x * 3 + __LINE__; }\n", 0644));
  const std::string local = temp_.path() + "/local.o";
  const std::string remote = temp_.path() + "/remote.o";
  Output("/usr/bin/gcc", {"-O2", "-c", source, "-o", local});
  ASSERT_TRUE(mirror_->Prepare({{Put(walker_->manifest())}, {}, {}}));
  const ProcessResult result = Run("/usr/bin/gcc", {"-O2", "-c", source, "-o", remote});
  ASSERT_EQ(result.ExitCode(), 0) << result.err;
  EXPECT_EQ(*ReadFile(remote), *ReadFile(local));
}

TEST(ElfInterpTest, ReadsTheNameInARealProgram) {
  const std::string program = *ReadFile("/bin/cat");
  const std::optional<ElfInterp> interp = FindElfInterp(program);
  ASSERT_TRUE(interp);
  EXPECT_EQ(access(interp->path.c_str(), X_OK), 0) << interp->path;
  EXPECT_EQ(program.substr(interp->offset, interp->path.size() + 1), interp->path + '\0');
  EXPECT_GE(interp->room, interp->path.size() + 1);
  // The loader itself has none.
  EXPECT_FALSE(FindElfInterp(*ReadFile(interp->path)));
}

TEST(ElfInterpTest, SurvivesDamage) {
  const std::string program = ReadFile("/bin/cat")->substr(0, 2000);
  ASSERT_TRUE(FindElfInterp(program));
  for (size_t size = 0; size < program.size(); ++size) FindElfInterp(program.substr(0, size));
  for (size_t i = 0; i < program.size(); ++i) {
    for (const char bits : {'\x01', '\x80', '\xff'}) {
      std::string damaged = program;
      damaged[i] = static_cast<char>(damaged[i] ^ bits);
      const std::optional<ElfInterp> interp = FindElfInterp(damaged);
      if (!interp) continue;
      EXPECT_LE(interp->offset + interp->path.size() + 1, damaged.size());
      EXPECT_EQ(interp->path.front(), '/');
    }
  }
  EXPECT_FALSE(FindElfInterp(""));
  EXPECT_FALSE(
      FindElfInterp("\x7f"
                    "ELF"));
  EXPECT_FALSE(FindElfInterp("#!/bin/sh\n"));
}

}  // namespace
}  // namespace llama::mirror
