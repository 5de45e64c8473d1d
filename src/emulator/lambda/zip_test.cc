#include "emulator/lambda/zip.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/file.h"
#include "emulator/lambda/testing.h"

namespace llama::emulator {
namespace {

class LambdaZip : public testing::Test {
 protected:
  Result<void> Unpack(std::string_view zip) {
    const Result<void> done = Unzip(zip, target());
    // Whatever it was, it is there whole or not at all, and nothing is beside it.
    const size_t expected = done ? 1 : 0;
    EXPECT_EQ(ListDir(dir_.path()).value().size(), expected);
    return done;
  }
  std::string target() const { return dir_.path() + "/code"; }
  mode_t ModeOf(const std::string& name) const {
    struct stat st {};
    EXPECT_EQ(stat((target() + "/" + name).c_str(), &st), 0) << name;
    return st.st_mode & 07777;
  }

  TempDir dir_ = TempDir::Create("llama-zip").value();
};

TEST_F(LambdaZip, UnpacksFilesAndFoldersForEverybody) {
  const mode_t old = umask(077);
  const Result<void> done = Unpack(MakeTestZip({{"bootstrap", "program", 0100700},
                                                {"deep/er/data", "text", 0100600},
                                                {"empty/", "", 0040755}}));
  umask(old);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(ReadFile(target() + "/deep/er/data").value(), "text");
  EXPECT_EQ(ModeOf("bootstrap"), 0755u);
  EXPECT_EQ(ModeOf("deep/er/data"), 0644u);
  EXPECT_EQ(ModeOf("deep"), 0755u);
  EXPECT_EQ(ModeOf("empty"), 0755u);
}

TEST_F(LambdaZip, KnowsWhatIsAtItsTop) {
  const std::string zip = MakeTestZip({{"bootstrap", "x"}, {"sub/other", "x"}});
  EXPECT_TRUE(ZipHolds(zip, "bootstrap").value());
  EXPECT_FALSE(ZipHolds(zip, "other").value());
}

TEST_F(LambdaZip, RefusesHostileEntries) {
  const std::vector<TestZipEntry> hostile[] = {
      {{"../outside", "x"}},
      {{"sub/../../outside", "x"}},
      {{"/etc/passwd", "x"}},
      {{"a//b", "x"}},
      {{"./a", "x"}},
      {{"back\\slash", "x"}},
      {{"link", "/etc/passwd", 0120777}},
      {{"fifo", "", 0010644}},
      {{"file", "x"}, {"file/below", "x"}},
  };
  for (const auto& entries : hostile) {
    const Result<void> done = Unpack(MakeTestZip(entries));
    EXPECT_FALSE(done) << entries[0].name;
    EXPECT_TRUE(done || done.error().message.starts_with("InvalidParameterValueException: "));
  }
  EXPECT_EQ(access((dir_.path() + "/../outside").c_str(), F_OK), -1);
}

TEST_F(LambdaZip, RefusesNonsenseAndEveryTruncation) {
  const std::string zip = MakeTestZip({{"bootstrap", std::string(5000, 'x')}, {"b", "text"}});
  EXPECT_FALSE(Unpack(""));
  EXPECT_FALSE(Unpack("no zip at all"));
  for (size_t size = 0; size < zip.size(); size += 7) {
    EXPECT_FALSE(Unpack(zip.substr(0, size))) << size;
  }
}

TEST_F(LambdaZip, SurvivesFlippedBytes) {
  const std::string zip = MakeTestZip({{"bootstrap", std::string(500, 'x')}, {"b", "text"}});
  for (size_t i = 0; i < zip.size(); ++i) {
    std::string damaged = zip;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x55);
    // Some bytes mean nothing (times, hints); none may do harm.
    if (Unpack(damaged)) {
      ASSERT_TRUE(RemoveTree(target()));
    }
  }
}

TEST_F(LambdaZip, RefusesBombs) {
  // 300 MB of one byte, well below the limit of what may be uploaded.
  const Result<void> done = Unpack(MakeTestZip({{"bomb", std::string(300u << 20, '\0')}}));
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message.find("Unzipped size must be smaller than 262144000"),
            std::string::npos);
}

TEST_F(LambdaZip, RefusesEntriesThatLieAboutTheirSize) {
  std::string zip = MakeTestZip({{"bootstrap", std::string(5000, 'x')}});
  // 5,000 in its local header and its central one becomes 1,000.
  for (size_t at = 0; (at = zip.find("\x88\x13", at)) != std::string::npos; at += 2) {
    zip.replace(at, 2, "\xe8\x03");
  }
  EXPECT_FALSE(Unpack(zip));
}

}  // namespace
}  // namespace llama::emulator
