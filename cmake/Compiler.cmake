# Warnings, hardening, sanitizers and ccache: one interface library that every target of ours links.
add_library(unmask_flags INTERFACE)
target_compile_options(unmask_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(unmask_flags INTERFACE -Wno-restrict)  # false alarms on std::string in g++ 12
endif()
if(NOT UNMASK_SANITIZE AND CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(unmask_flags INTERFACE -D_FORTIFY_SOURCE=2 -fstack-protector-strong)
  target_link_options(unmask_flags INTERFACE -Wl,-z,relro,-z,now)
endif()
if(UNMASK_SANITIZE)
  # Undefined behaviour ends the program, so that it fails a test, in a child process as well.
  target_compile_options(unmask_flags INTERFACE -fsanitize=${UNMASK_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(unmask_flags INTERFACE -fsanitize=${UNMASK_SANITIZE})
  target_sources(unmask_flags INTERFACE
                 $<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:${CMAKE_SOURCE_DIR}/cmake/sanitizer_runtime.cpp>)
  if(UNMASK_SANITIZE STREQUAL "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(unmask_flags INTERFACE -Wno-tsan)  # Asio has a fence that g++'s sanitizer cannot follow
  endif()
endif()
if(UNMASK_FUZZERS)
  target_compile_options(unmask_flags INTERFACE -fsanitize=fuzzer-no-link)  # coverage feedback for the fuzzers
endif()
if(UNMASK_COVERAGE)
  # Counters of threads that race would even turn negative, which gcovr refuses.
  target_compile_options(unmask_flags INTERFACE --coverage -fprofile-update=atomic)
  target_link_options(unmask_flags INTERFACE --coverage)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  # Paths relative to the source, so that every checkout and preset shares one cache.
  set(launcher ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()
