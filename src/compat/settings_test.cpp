// SPDX-License-Identifier: Apache-2.0
#include "compat/settings.hpp"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unmask::compat {
namespace {

using testing::HasSubstr;
using Values = std::map<std::string, std::string>;

Environment Of(Values values) {
  return [values = std::move(values)](const std::string& name) -> std::optional<std::string> {
    const auto found = values.find(name);
    if (found == values.end()) return std::nullopt;
    return found->second;
  };
}

TEST(EnvFile, TakesWhatDotenvTakes) {
  const auto values = ParseEnvFile(
      "# settings\n\nA=1\r\n export B = two words # comment\nC=\"q # \\\" x\" # c\nD='raw \\n'\nE=\nF=a#b\n"
      "A=2");
  ASSERT_TRUE(values.has_value());
  EXPECT_EQ(
      *values,
      (Values{{"A", "2"}, {"B", "two words"}, {"C", "q # \" x"}, {"D", "raw \\n"}, {"E", ""}, {"F", "a#b"}}));
}

TEST(EnvFile, NamesTheLineThatIsWrong) {
  for (const char* text : {"A=1\nnothing", "A=1\n1B=2", "A=1\nB=\"open", "A=1\n=2", "A=1\nB='x' y"})
    EXPECT_THAT(ParseEnvFile(text).error().message, HasSubstr("line 2")) << text;
}

TEST(ContractSettings, AreTheOriginalsWithoutAnEnvironment) {
  const auto settings = ReadContractSettings(Of({}), "");
  ASSERT_TRUE(settings.has_value());
  EXPECT_EQ(settings->port, std::nullopt);
  EXPECT_EQ(settings->model_name, "deepfake");
  EXPECT_EQ(settings->default_fps, 2.0);
  EXPECT_EQ(settings->max_frames, 256);
  EXPECT_EQ(settings->threshold, 0.5);
  EXPECT_FALSE(settings->require_auth);
}

TEST(ContractSettings, PreferTheEnvironmentToTheFile) {
  const auto file = std::filesystem::path(testing::TempDir()) / "contract.env";
  std::ofstream(file) << "THRESHOLD=0.25\nMODEL_NAME=of_file\nOTHER=1\n";
  const auto settings =
      ReadContractSettings(Of({{"THRESHOLD", " 0.75 "}, {"REQUIRE_AUTH", "Yes"}, {"PORT", "5001"}}), file);
  ASSERT_TRUE(settings.has_value());
  EXPECT_EQ(settings->threshold, 0.75);
  EXPECT_EQ(settings->model_name, "of_file");
  EXPECT_TRUE(settings->require_auth);
  EXPECT_EQ(settings->port, 5001);
}

TEST(ContractSettings, RefuseWhatMakesNoSense) {
  for (const auto& [name, value] : Values{{"PORT", "http"},
                                          {"THRESHOLD", "2"},
                                          {"MAX_FRAMES", "0"},
                                          {"REQUIRE_AUTH", "maybe"},
                                          {"DEFAULT_FPS", "nan"},
                                          {"REQUEST_TIMEOUT", ""}}) {
    const auto settings = ReadContractSettings(Of({{name, value}}), "");
    ASSERT_FALSE(settings.has_value()) << name;
    EXPECT_EQ(settings.error().code, ErrorCode::kBadRequest);
    EXPECT_THAT(settings.error().message, HasSubstr(name));
  }
  EXPECT_EQ(ReadContractSettings(Of({}), "/none/.env").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace unmask::compat
