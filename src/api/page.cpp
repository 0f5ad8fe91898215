// SPDX-License-Identifier: Apache-2.0
#include <spdlog/spdlog.h>

#include "api/routes.hpp"
#include "base/file.hpp"
#include "render/words.hpp"

namespace unmask {
namespace {

struct PageFile {
  const char* route;
  const char* file;
  const char* type;
};

constexpr PageFile kFiles[] = {
    {"/", "index.html", "text/html; charset=utf-8"},
    {"/app.js", "app.js", "text/javascript; charset=utf-8"},
    {"/result.js", "result.js", "text/javascript; charset=utf-8"},
    {"/style.css", "style.css", "text/css; charset=utf-8"},
    {"/icon.svg", "icon.svg", "image/svg+xml"},
};

constexpr const char* kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

}  // namespace

void AddPageRoutes(http::Router& router, const std::filesystem::path& folder, const DocsFiles& docs) {
  for (auto& page : DocsPages(docs, folder / "openapi.json"))
    router.Get(
        page.path,
        [response = std::move(page.response)](const http::RequestPtr&, const http::Responder& responder) {
          responder.Send(response);
        },
        http::Route::Runs::kInPlace);
  for (const auto& file : kFiles) {
    auto content = ReadSmallFile(folder / file.file);
    if (!content) {
      spdlog::warn("{} is not served: {}", (folder / file.file).string(), content.error().message);
      continue;
    }
    http::Response response{.content_type = file.type,
                            .shared_body = std::make_shared<const std::string>(std::move(*content))};
    response.headers.Set("Content-Security-Policy", kPolicy);
    response.headers.Set("Cache-Control", "no-cache");
    router.Get(
        file.route,
        [response](const http::RequestPtr&, const http::Responder& responder) { responder.Send(response); },
        http::Route::Runs::kInPlace);
  }
  router.Get(
      "/words.json",
      [words = WordsJson() + "\n"](const http::RequestPtr&, const http::Responder& responder) {
        responder.Send(http::JsonResponse(200, words));
      },
      http::Route::Runs::kInPlace);
}

}  // namespace unmask
