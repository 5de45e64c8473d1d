# headers_compile_alone: one translation unit a header, holding nothing but its #include. A header
# that leans on what its includer included before does not compile. Not part of `all`.
file(GLOB_RECURSE headers RELATIVE ${CMAKE_SOURCE_DIR}/src CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/*.h)
set(units)
foreach(header ${headers})
  set(unit ${CMAKE_BINARY_DIR}/headers/${header}.cc)
  file(CONFIGURE OUTPUT ${unit} CONTENT "#include \"${header}\"\n")
  list(APPEND units ${unit})
endforeach()
add_library(headers_compile_alone OBJECT EXCLUDE_FROM_ALL ${units})
target_include_directories(headers_compile_alone PRIVATE ${CMAKE_SOURCE_DIR}/src)
# Test suites are headers too.
target_link_libraries(headers_compile_alone PRIVATE GTest::gtest)
