// The test program's main: called as `… daemon run --ready-fd N` it is the daemon of its own tests.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string_view>

#include "client/client_test_world.h"
#include "client/fake_daemon.h"

int main(int argc, char** argv) {
  if (argc == 5 && std::string_view(argv[1]) == "daemon") {
    if (const char* trouble = std::getenv("FAKE_DAEMON_TROUBLE"); trouble != nullptr) {
      return write(std::atoi(argv[4]), trouble, std::strlen(trouble)) < 0 ? 2 : 1;
    }
    return llama::client::FakeDaemon(std::getenv("LLAMA_DIR"),
                                     std::getenv(llama::client::kFakeBuildVariable))
        .Run(std::atoi(argv[4]));
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
