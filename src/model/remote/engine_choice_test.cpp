// SPDX-License-Identifier: Apache-2.0
#include "model/remote/engine_choice.hpp"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "model/remote/remote_engine.hpp"
#include "model/repository.hpp"

namespace unmask {
namespace {

using nlohmann::json;
using testing::HasSubstr;

/// A card of face:`version` with this "engine".
ModelCard Card(int version = 1, const json& engine = nullptr) {
  ModelCard card;
  card.name = "face";
  card.version = version;
  card.json = json{{"engine", engine}}.dump();
  return card;
}

TEST(EngineUrl, SaysProtocolAddressModelAndVersion) {
  EXPECT_EQ(ReadEngineUrl("http://host:8000/v2/models/face").value(),
            (json{{"type", "kserve-v2"}, {"url", "http://host:8000"}, {"model", "face"}}));
  EXPECT_EQ(
      ReadEngineUrl("https://host/a/proxy/v1/models/other/versions/3").value(),
      (json{{"type", "tf-serving"}, {"url", "https://host/a/proxy"}, {"model", "other"}, {"version", "3"}}));
  EXPECT_EQ(ReadEngineUrl("http://host/v1/models/x/v2/models/face").value()["url"], "http://host/v1/models/x")
      << "the last one is the protocol's";
}

TEST(EngineUrl, TakesTheSettingsOfACardBehindIt) {
  const auto engine = ReadEngineUrl("http://host/v2/models/face?max_batch=16&timeout=2.5").value();
  EXPECT_EQ(engine["max_batch"], 16);
  EXPECT_EQ(engine["timeout"], 2.5);
}

TEST(EngineUrl, SaysWhatIsWrong) {
  for (const auto& [url, words] : std::initializer_list<std::pair<const char*, const char*>>{
           {"", "http:// or https://, found ''"},
           {"grpc://host:8001/v2/models/face", "http:// or https://, found 'grpc://"},
           {"kserve+http://host/v2/models/face", "http:// or https://, found 'kserve+"},
           {"http://host:8000", "ends in /v2/models/MODEL (KServe v2, Triton) or /v1/models/MODEL"},
           {"http://host:8000/v3/models/face", "ends in /v2/models/MODEL"},
           {"http:///v2/models/face", "a host and a port"},
           {"http://host/v2/models/", "no name of a model"},
           {"http://host/v1/models/face:predict", "no name of a model"},
           {"http://host/v2/models/face/versions/one", "expected a number"},
           {"http://host/v2/models/face?max_batch=0", "engine.max_batch is 0"},
           {"http://host/v2/models/face?max_batch=many", "found 'max_batch=many'"},
           {"http://host/v2/models/face?max_batch", "found 'max_batch'"},
           {"http://host/v2/models/face?tiemout=1", "engine.tiemout is not known"},
           {"http://host/v2/models/face?version=1", "found 'version=1'"}}) {
    const auto engine = ReadEngineUrl(url);
    ASSERT_FALSE(engine) << url;
    EXPECT_EQ(engine.error().code, ErrorCode::kBadRequest);
    EXPECT_THAT(engine.error().message, HasSubstr(words)) << url;
    EXPECT_FALSE(engine.error().hint.empty()) << url;
  }
}

TEST(EngineChoice, HasANameAndAnAddress) {
  const auto choice = ParseEngineChoice("face:2=http://host/v2/models/face?max_batch=4").value();
  EXPECT_EQ(choice.model, "face:2");
  EXPECT_EQ(choice.url, "http://host/v2/models/face?max_batch=4");
  for (const char* text : {"", "face", "face=", "=http://host/v2/models/face", "http://host/v2/models/face",
                           "face@stable=http://host/v2/models/face"})
    EXPECT_THAT(ParseEngineChoice(text).error().message, HasSubstr("expected NAME=URL")) << text;
  EXPECT_THAT(ParseEngineChoice("face=host:8000").error().message, HasSubstr("found 'host:8000'"));
}

TEST(EngineChoice, OfAVersionGoesBeforeThatOfTheName) {
  const std::vector<EngineChoice> choices = {{"face:2", "a"}, {"face", "b"}, {"other", "c"}};
  EXPECT_EQ(ChoiceFor(Card(2), choices)->url, "a");
  EXPECT_EQ(ChoiceFor(Card(1), choices)->url, "b");
  EXPECT_EQ(ChoiceFor(Card(1), {{"face", "a"}, {"face", "b"}})->url, "b");
  EXPECT_EQ(ChoiceFor(Card(1), {{"face:2", "a"}, {"fac", "b"}}), nullptr);
}

TEST(EngineChoice, IsAboutAnEnsembleThroughItsMembers) {
  ModelCard duo;
  duo.name = "duo";
  duo.version = 1;
  duo.members = {Card(1), Card(2)};
  EXPECT_TRUE(IsChosen(duo, {{"face:2", "a"}}));
  EXPECT_FALSE(IsChosen(duo, {{"face:3", "a"}}));
}

TEST(EngineChoice, ReplacesWhereTheCardSaysAndKeepsItsOtherSettings) {
  const std::vector<EngineChoice> choices = {{"face", "http://new/v2/models/net"}};
  const auto alone = RemoteEngineOf(Card(), choices).value();
  ASSERT_TRUE(alone);
  EXPECT_EQ(alone->url, "http://new");
  EXPECT_EQ(alone->max_batch, 4);
  const json stated = {{"type", "tf-serving"}, {"url", "http://old"}, {"version", "7"}, {"max_batch", 9}};
  const auto replaced = RemoteEngineOf(Card(1, stated), choices).value();
  ASSERT_TRUE(replaced);
  EXPECT_EQ(replaced->protocol, RemoteEngine::Protocol::kKserveV2);
  EXPECT_EQ(replaced->url, "http://new");
  EXPECT_EQ(replaced->model, "net");
  EXPECT_EQ(replaced->version, "") << "7 was the version of the other engine";
  EXPECT_EQ(replaced->max_batch, 9);
  EXPECT_EQ(RemoteEngineOf(Card(1, stated), {{"other", "http://new/v2/models/net"}}).value()->url,
            "http://old");
  EXPECT_FALSE(RemoteEngineOf(Card()).value());
}

TEST(EngineChoice, MustBeOfAModelThatIsThere) {
  const ModelRepository repository(std::filesystem::path(UNMASK_SOURCE_DIR) / "models");
  const std::string url = "http://host/v2/models/face";
  EXPECT_TRUE(CheckEngines(repository, {{"face", url}, {"face:1", url}}));
  const auto unknown = CheckEngines(repository, {{"fcae", url}});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(unknown.error().message, HasSubstr("--engine fcae: no model 'fcae' (there is: "));
  EXPECT_THAT(CheckEngines(repository, {{"face:999", url}}).error().message, HasSubstr("no version '999'"));
}

}  // namespace
}  // namespace unmask
