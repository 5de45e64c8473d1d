#include "mirror/elf_interp.h"

#include <elf.h>

#include <cstring>

namespace llama::mirror {
namespace {

constexpr uint64_t kMaxInterpBytes = 4096;

// A T at `offset`; false: the file ends before.
template <typename T>
bool Load(std::string_view file, uint64_t offset, T& value) {
  if (offset > file.size() || file.size() - offset < sizeof value) return false;
  std::memcpy(&value, file.data() + offset, sizeof value);
  return true;
}

template <typename Header, typename Program>
std::optional<ElfInterp> Find(std::string_view file) {
  Header header;
  if (!Load(file, 0, header) || header.e_phentsize != sizeof(Program)) return std::nullopt;
  for (uint64_t i = 0; i < header.e_phnum; ++i) {
    Program program;
    if (header.e_phoff > file.size()) return std::nullopt;
    if (!Load(file, header.e_phoff + i * sizeof program, program)) return std::nullopt;
    if (program.p_type != PT_INTERP) continue;
    if (program.p_offset > file.size() || program.p_filesz > file.size() - program.p_offset ||
        program.p_filesz > kMaxInterpBytes) {
      return std::nullopt;
    }
    const std::string_view bytes = file.substr(program.p_offset, program.p_filesz);
    const size_t end = bytes.find('\0');
    if (end == std::string_view::npos || end < 2 || bytes.front() != '/') return std::nullopt;
    return ElfInterp{std::string(bytes.substr(0, end)), program.p_offset, program.p_filesz};
  }
  return std::nullopt;
}

}  // namespace

std::optional<ElfInterp> FindElfInterp(std::string_view file) {
  if (file.size() < EI_NIDENT || !file.starts_with(ELFMAG)) return std::nullopt;
  if (file[EI_DATA] != ELFDATA2LSB) return std::nullopt;
  if (file[EI_CLASS] == ELFCLASS64) return Find<Elf64_Ehdr, Elf64_Phdr>(file);
  if (file[EI_CLASS] == ELFCLASS32) return Find<Elf32_Ehdr, Elf32_Phdr>(file);
  return std::nullopt;
}

}  // namespace llama::mirror
