# cmake -D LIST=… -D FLAGS=… -D OUT=… -P build_id.cmake: writes OUT, a source file with the id.
file(STRINGS ${LIST} sources)
set(all "${FLAGS}")
foreach(source ${sources})
  # A source that has just been deleted is in the list until the next configuration.
  if(EXISTS ${source})
    file(SHA256 ${source} digest)
    string(APPEND all "\n${digest}")
  endif()
endforeach()
string(SHA256 id "${all}")
string(SUBSTRING ${id} 0 32 id)
file(WRITE ${OUT} "#include \"build_id/build_id.h\"

namespace llama {

std::string_view BuildId() { return \"${id}\"; }

}  // namespace llama
")
