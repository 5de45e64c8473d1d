#include "scan/inodes.h"

#include <gtest/gtest.h>

#include <string>

#include "base/file.h"

namespace llama::scan {
namespace {

class InodesTest : public testing::Test {
 protected:
  void Add(const std::string& name, const std::string& text, ino_t inode, int64_t mtime_ns) {
    const std::string path = dir_.path() + "/" + name;
    ASSERT_TRUE(WriteFileAtomic(path, text, 0644));
    inodes_.Add(path, store::Sha256(text), {.device = 1, .inode = inode, .mtime_ns = mtime_ns});
  }
  // "name mtime number" of each.
  std::string Taken(Seen& seen) const {
    std::string out;
    const tree::Inodes taken = inodes_.Take(seen);
    if (!taken) return "none";
    for (const tree::Inode& inode : *taken) {
      out += std::string(BaseName(inode.path)) + " " + std::to_string(inode.mtime_ns) + " " +
             std::to_string(inode.number) + "\n";
    }
    return out;
  }

  TempDir dir_ = *TempDir::Create("inodes");
  Inodes inodes_;
};

TEST_F(InodesTest, FilesThatDifferNeedNoWord) {
  Seen seen;
  Add("a.h", "#pragma once\n", 1, 10);
  Add("b.h", "#pragma once\n\n", 2, 10);
  EXPECT_EQ(Taken(seen), "none");
  EXPECT_EQ(seen, Seen());
}

TEST_F(InodesTest, TellsCopiesFromLinks) {
  Seen seen;
  Add("c.h", "int same;\n", 3, 30);
  Add("a.h", "int same;\n", 3, 30);
  Add("x.h", "int other;\n", 5, 50);
  Add("b.h", "int same;\n", 4, 40);
  EXPECT_EQ(Taken(seen), "a.h 30 1\nb.h 40 2\nc.h 30 1\n");
  EXPECT_EQ(seen, Seen());
}

TEST_F(InodesTest, ATextMayAskToBeReadOnce) {
  Seen seen;
  Add("a.h", "#pragma once\n", 1, 10);
  Add("b.h", "#pragma once\n", 2, 20);
  EXPECT_EQ(Taken(seen), "a.h 10 1\nb.h 20 2\n");
  EXPECT_TRUE(seen.once);
}

TEST_F(InodesTest, AllAreTakenWhereTimesAreSeen) {
  Seen seen{.times = true, .once = false};
  Add("b.h", "int b;\n", 2, 20);
  Add("a.h", "int a;\n", 1, 10);
  EXPECT_EQ(Taken(seen), "a.h 10 2\nb.h 20 1\n");
}

}  // namespace
}  // namespace llama::scan
