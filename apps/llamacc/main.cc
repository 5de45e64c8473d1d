// llamacc, llamac++: what a build system runs instead of the compiler.
#include "build_id/build_id.h"
#include "client/wrapper.h"

int main(int argc, char** argv) {
  return llama::client::RunWrapper(argc, argv, std::string(llama::BuildId()));
}
