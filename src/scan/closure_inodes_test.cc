// What closures say of what a compiler may look at besides contents.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scan/closure_project_testing.h"

namespace llama::scan {
namespace {

TEST(ClosureInodes, ATouchedFileCountsWhereTimesAreSeen) {
  ClosureProject project;
  project.Search({}, {"inc"});
  const auto touch = [&](const std::string& name, time_t time) {
    const timespec times[] = {{time, 0}, {time, 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, project.Path(name).c_str(), times, 0), 0);
  };
  project.Write("src/main.c", "#include \"a.h\"\nconst char* t = T;\n");
  project.Write("src/a.h", "");
  for (const bool is_seen : {false, true}) {
    if (is_seen) {
      project.request.preprocessing.defined = {
          {.name = "T", .parameters = {}, .body = "__TIMESTAMP__"}};
    }
    touch("src/a.h", 1'000'000);
    const auto before = project.Find().value();
    EXPECT_EQ(before->seen.times, is_seen);
    EXPECT_EQ(before->inodes != nullptr, is_seen);
    touch("src/a.h", 2'000'000);
    EXPECT_EQ(project.FirstChange(before), is_seen ? "src/a.h" : "");
    EXPECT_EQ(project.Find().value()->id == before->id, !is_seen);
  }
}

TEST(ClosureInodes, ACopyThatBecomesALinkIsAnotherClosure) {
  ClosureProject project;
  project.Search({}, {"inc"});
  project.Write("src/main.c", "#import \"a.h\"\n#import \"b.h\"\n");
  project.Write("src/a.h", "int same;");
  project.Write("src/b.h", "int same;");
  const auto before = project.Find().value();
  ASSERT_TRUE(before->inodes && before->seen.once);
  EXPECT_NE((*before->inodes)[0].number, (*before->inodes)[1].number);
  ASSERT_EQ(unlink(project.Path("src/b.h").c_str()), 0);
  ASSERT_EQ(link(project.Path("src/a.h").c_str(), project.Path("src/b.h").c_str()), 0);
  EXPECT_EQ(project.FirstChange(before), "src/b.h");
  const auto after = project.Find().value();
  EXPECT_EQ((*after->inodes)[0].number, (*after->inodes)[1].number);
}

TEST(ClosureInodes, WhatCanBeReadButOnceIsNotRead) {
  ClosureProject project;
  project.Search({}, {"inc"});
  project.Write("src/main.c", "#include \"pipe\"\n");
  ASSERT_EQ(mkfifo(project.Path("src/pipe").c_str(), 0600), 0);
  EXPECT_EQ(project.Find().value()->special, project.Path("src/pipe"));
  for (const char* text : {"#include \"/dev/stdin\"\n", "#define F </proc/self/fd/0>\n#include F\n",
                           "__asm__(\".incbin \\\"/dev/fd/3\\\"\");\n"}) {
    project.Write("src/main.c", text);
    EXPECT_NE(project.Find().value()->special, "") << text;
  }
  project.Write("src/main.c", "int x;\n");
  EXPECT_EQ(project.Find().value()->special, "");
  project.request.preprocessing.forced = {{"/dev/fd/63"}};
  EXPECT_NE(project.Find().value()->special, "");
}

}  // namespace
}  // namespace llama::scan
