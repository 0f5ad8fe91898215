// SPDX-License-Identifier: Apache-2.0
#include "api/docs.hpp"

#include <unistd.h>

#include <fstream>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/described.hpp"
#include "api/fake_analyzer.hpp"
#include "api/models.hpp"
#include "api/routes.hpp"
#include "http/server.hpp"

namespace unmask {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;

const std::filesystem::path kWeb = UNMASK_SOURCE_DIR "/web";

/// A folder with stand-ins for Swagger UI's files.
class Docs : public testing::Test {
 protected:
  Docs() {
    std::filesystem::create_directories(ui_);
    for (const char* name : {"swagger-ui-bundle.js", "swagger-ui.css"}) std::ofstream(ui_ / name) << name;
  }
  ~Docs() override { std::filesystem::remove_all(ui_); }

  const std::filesystem::path ui_ =
      std::filesystem::temp_directory_path() / ("unmask-ui-" + std::to_string(::getpid()));
};

std::vector<std::string> Paths(const std::vector<FixedPage>& pages) {
  std::vector<std::string> paths;
  for (const auto& page : pages) paths.push_back(page.path);
  return paths;
}

const http::Response& At(const std::vector<FixedPage>& pages, const std::string& path) {
  for (const auto& page : pages)
    if (page.path == path) return page.response;
  throw std::out_of_range(path);
}

TEST_F(Docs, LoadNothingFromElsewhere) {
  const auto pages = DocsPages(*ReadDocsFiles(kWeb, ui_), kWeb / "openapi.json");
  EXPECT_THAT(Paths(pages), ElementsAre("/openapi.json", "/docs", "/docs/docs.js", "/docs/swagger-ui.css",
                                        "/docs/swagger-ui-bundle.js", "/redoc"));
  const auto& page = At(pages, "/docs");
  EXPECT_EQ(page.status, 200);
  const auto* policy = page.headers.Find("Content-Security-Policy");
  ASSERT_TRUE(policy);
  EXPECT_THAT(*policy, HasSubstr("default-src 'none'; script-src 'self'; style-src 'self'"));
  EXPECT_THAT(*policy, Not(HasSubstr("unsafe")));
  for (const auto& [path, response] : pages) {
    if (path == "/openapi.json") continue;
    EXPECT_THAT(response.content(), Not(HasSubstr("//cdn"))) << path;
    EXPECT_THAT(response.content(), Not(HasSubstr("href=\"/"))) << path << " must work under a prefix";
    EXPECT_THAT(response.content(), Not(HasSubstr("src=\"/"))) << path << " must work under a prefix";
  }
  EXPECT_EQ(*At(pages, "/redoc").headers.Find("Location"), "docs");
}

TEST_F(Docs, SayHowToInstallSwaggerUiWhereItIsAbsent) {
  std::filesystem::remove(ui_ / "swagger-ui.css");
  const auto pages = DocsPages(*ReadDocsFiles(kWeb, ui_), kWeb / "openapi.json");
  EXPECT_THAT(Paths(pages), ElementsAre("/openapi.json", "/docs", "/redoc"));
  EXPECT_EQ(At(pages, "/docs").status, 503);
  EXPECT_THAT(At(pages, "/docs").content(), HasSubstr("tools/setup.sh"));
}

TEST_F(Docs, AreAbsentWithoutADescription) {
  EXPECT_THAT(DocsPages(*ReadDocsFiles(kWeb, ui_), ui_ / "none.json"), IsEmpty());
}

TEST_F(Docs, DescribeWhatTheRouterServesAndNothingElse) {
  FakeAnalyzer analyzer;
  const auto server = http::Server::Create({});
  AnalysisService service({}, analyzer);
  http::Metrics metrics;
  ServeOptions options;
  options.web = kWeb;
  std::atomic<bool> ready = true;
  http::Router router;
  const ApiContext context{service, analyzer, *server, metrics, options, ready, nullptr};
  AddAnalysisRoutes(router, context);
  AddFeedbackRoute(router, context);
  AddModelRoutes(router, {analyzer, options.models});
  router.Mount("/v1/models", *ModelChangeRoutes({analyzer, options.models}, ""));
  AddOperationRoutes(router, context);
  AddPageRoutes(router, kWeb, *ReadDocsFiles(kWeb, ui_));
  const auto served = ServedOperations(router);
  EXPECT_THAT(served, IsSupersetOf({"POST /v1/analyses", "GET /docs", "GET /v1/models/{name}/{version}"}));
  EXPECT_EQ(DescribedOperations(kWeb / "openapi.json"), served);
}

TEST(Described, IsEmptyForWhatIsNoDescription) {
  EXPECT_THAT(DescribedOperations("/none"), IsEmpty());
  EXPECT_THAT(DescribedOperations(kWeb / "app.js"), IsEmpty());
}

}  // namespace
}  // namespace unmask
