# unmask_room(NAME [USES rooms...] [PUBLIC libs...] [PRIVATE libs...] [TEST_LIBS libs...] [EXCLUDE regex])
#
# Makes the static library unmask_NAME of all sources in the folder but *_test.cpp, *_bench.cpp and *_main.cpp, a test
# program NAME_test and (with UNMASK_BENCHMARKS) NAME_bench. USES names the rooms it may include: only those above it.
function(unmask_room name)
  cmake_parse_arguments(ROOM "" "EXCLUDE" "USES;PUBLIC;PRIVATE;TEST_LIBS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS *.cpp)
  if(ROOM_EXCLUDE)  # folders inside that are rooms of their own
    list(FILTER sources EXCLUDE REGEX "${ROOM_EXCLUDE}")
  endif()
  set(tests ${sources})
  set(benches ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(FILTER benches INCLUDE REGEX "_bench\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "(_test|_bench|_main|/main)\\.cpp$")

  add_library(unmask_${name} STATIC ${sources})
  target_include_directories(unmask_${name} PUBLIC ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR}/src)
  list(TRANSFORM ROOM_USES PREPEND unmask_)
  target_link_libraries(unmask_${name} PUBLIC ${ROOM_USES} ${ROOM_PUBLIC} PRIVATE unmask_flags ${ROOM_PRIVATE})

  if(UNMASK_TESTS AND tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE unmask_${name} unmask_flags ${ROOM_PRIVATE} ${ROOM_TEST_LIBS} GTest::gmock GTest::gtest_main)
    target_compile_definitions(${name}_test PRIVATE UNMASK_SOURCE_DIR="${CMAKE_SOURCE_DIR}" UNMASK_BUILD_DIR="${CMAKE_BINARY_DIR}")
    gtest_discover_tests(${name}_test TEST_PREFIX ${name}. DISCOVERY_TIMEOUT 60 PROPERTIES LABELS unit TIMEOUT 120
                         ENVIRONMENT TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tools/tsan.supp)
  endif()
  if(UNMASK_BENCHMARKS AND benches)
    add_executable(${name}_bench ${benches})
    target_link_libraries(${name}_bench PRIVATE unmask_${name} unmask_flags ${ROOM_PRIVATE} ${ROOM_TEST_LIBS} benchmark::benchmark benchmark::benchmark_main)
    target_compile_definitions(${name}_bench PRIVATE UNMASK_SOURCE_DIR="${CMAKE_SOURCE_DIR}" UNMASK_BUILD_DIR="${CMAKE_BINARY_DIR}")
  endif()
endfunction()
