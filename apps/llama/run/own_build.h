// OwnBuild: the build that `llama invoke` and `llama xargs` record their jobs in when they are not
// part of one. Recording never stands in the way: what fails is said, and the jobs run.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "client/connection.h"
#include "llama/build/build_setup.h"
#include "llama/daemon_link.h"
#include "llama/run/remote_command.h"

namespace llama::app {

class OwnBuild {
 public:
  // In a build already (LLAMACC_BUILD_ID): does nothing. Otherwise the surrounding names the new
  // one.
  OwnBuild(std::string name, std::vector<std::string> command,
           const client::ConnectOptions& connect, Surrounding& surrounding);

  void Tick();
  void End(int exit_status);

 private:
  Result<void> Begin(const BuildRequest& request, const client::ConnectOptions& connect,
                     Surrounding& surrounding);
  Result<void> EndTrace();

  const Clock& clock_ = SystemClock();
  std::optional<BuildSetup> setup_;
  std::unique_ptr<DaemonLink> link_;
};

}  // namespace llama::app
