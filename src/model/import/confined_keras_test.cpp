// SPDX-License-Identifier: Apache-2.0
#include "model/import/confined_keras.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openvino/core/model.hpp>

namespace unmask {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

/// A reader that an attacker has taken over, or that dies: a shell script in place of the program.
class ConfinedReader : public testing::Test {
 protected:
  fs::path Script(const std::string& body) {
    const fs::path file = folder_ / "reader";
    std::ofstream(file) << "#!/bin/sh\n" << body << '\n';
    fs::permissions(file, fs::perms::owner_all);
    return file;
  }

  Error ErrorFrom(const std::string& body) {
    const auto model = ReadKerasConfined("model.h5", {.program = Script(body), .stop = {}});
    EXPECT_FALSE(model);
    return model ? Error{} : model.error();
  }

  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) /
              (std::string("confined-") + testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path folder_;
};

TEST_F(ConfinedReader, ThatDiesCostsAnErrorWithAHint) {
  for (const auto& [deed, ending] :
       {std::pair("kill -SEGV $$", "signal 11"), {"kill -SYS $$", "signal 31"}, {"exit 2", "exit code 2"}}) {
    const Error error = ErrorFrom(deed);
    EXPECT_EQ(error.code, ErrorCode::kBadRequest) << deed;
    EXPECT_THAT(error.message, HasSubstr(ending));
    EXPECT_THAT(error.hint, HasSubstr("damaged or hostile"));
  }
}

TEST_F(ConfinedReader, IsEndedWhenItTakesTooLong) {
  const auto model =
      ReadKerasConfined("model.h5", {.program = Script("sleep 600 & wait"), .timeout = 0.2, .stop = {}});
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code, ErrorCode::kBadRequest);
  EXPECT_THAT(model.error().message, HasSubstr("0.2 s"));
}

TEST_F(ConfinedReader, IsEndedWhenItsCallerIsStopped) {
  std::stop_source stop;
  const fs::path begun = folder_ / "begun";
  std::jthread stopper([&] {
    while (!fs::exists(begun)) std::this_thread::yield();
    stop.request_stop();
  });
  const auto model = ReadKerasConfined(
      "model.h5",
      {.program = Script("touch " + begun.string() + "; sleep 600 & wait"), .stop = stop.get_token()});
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code, ErrorCode::kCancelled);
}

TEST_F(ConfinedReader, IsAskedForTheFile) {
  const Error error = ErrorFrom(R"(printf '{"message": "%s %s", "hint": "as told"}' "$1" "$2" >&5; exit 1)");
  EXPECT_EQ(error.message, "--read-keras model.h5");
  EXPECT_EQ(error.hint, "as told");
}

TEST_F(ConfinedReader, ThatLiesIsNotBelieved) {
  EXPECT_THAT(ErrorFrom("exit 0").message, HasSubstr("left no network"));
  EXPECT_THAT(ErrorFrom("echo '<net' >&3").message, HasSubstr("left no network"));
  EXPECT_THAT(ErrorFrom("head -c 100000 /dev/urandom >&3").message, HasSubstr("left no network"));
  EXPECT_THAT(ErrorFrom("head -c 70000000 /dev/zero >&3").message, HasSubstr("left no network"));
  EXPECT_THAT(ErrorFrom("echo '{\"message\": 7}' >&5; exit 1").message, HasSubstr("exit code 1"));
  EXPECT_THAT(ErrorFrom("printf '[[[' >&5; exit 1").message, HasSubstr("exit code 1"));
  // A constant that lies outside the weights.
  EXPECT_THAT(ErrorFrom(R"(cat >&3 <<'END'
<net name="n" version="11"><layers>
<layer id="0" name="c" type="Const" version="opset1">
<data element_type="f32" shape="1,3" offset="1000000000" size="12"/>
<output><port id="0" precision="FP32"><dim>1</dim><dim>3</dim></port></output></layer>
<layer id="1" name="r" type="Result" version="opset1">
<input><port id="0" precision="FP32"><dim>1</dim><dim>3</dim></port></input></layer>
</layers><edges><edge from-layer="0" from-port="0" to-layer="1" to-port="0"/></edges></net>
END
echo 1234 >&4)")
                  .message,
              HasSubstr("left no network"));
}

TEST_F(ConfinedReader, MayBeAbsent) {
  const auto model = ReadKerasConfined("model.h5", {.program = folder_ / "nosuch", .stop = {}});
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code, ErrorCode::kInternal);
  EXPECT_THAT(model.error().message, HasSubstr("nosuch"));
}

}  // namespace
}  // namespace unmask
