// Programs of a job's tree: the interpreter's name must be where it is said to be.
#include "base/fuzz.h"
#include "mirror/elf_interp.h"

namespace llama::mirror {

FUZZ_TARGET(file) {
  const auto interp = FindElfInterp(file);
  if (!interp) return;
  CHECK(interp->path.starts_with('/') && interp->path.find('\0') == std::string::npos);
  CHECK(interp->offset <= file.size() && interp->room <= file.size() - interp->offset);
  CHECK(interp->room > interp->path.size());
  const std::string_view room = file.substr(interp->offset, interp->room);
  CHECK(room.starts_with(interp->path) && room[interp->path.size()] == '\0');
}

}  // namespace llama::mirror
