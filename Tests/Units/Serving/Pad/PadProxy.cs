using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace MLExtensions.Tests.Serving.Pad;

/// <summary>A proxy that puts a server below /somewhere/else.</summary>
internal static class PadProxy
{
    public static async Task<WebApplication> StartAsync(string server)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var proxy = builder.Build();
        var client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false });
        proxy.Map("/somewhere/else/{**path}", async (HttpContext context, string? path) =>
        {
            using var request = new HttpRequestMessage(new HttpMethod(context.Request.Method), $"{server}/{path}");
            if (context.Request.ContentLength > 0)
                request.Content = new StreamContent(context.Request.Body);
            foreach (var name in new[] { "X-API-Key", "If-None-Match" })
                request.Headers.TryAddWithoutValidation(name, context.Request.Headers[name].ToString());
            using var answer = await client.SendAsync(request);
            context.Response.StatusCode = (int)answer.StatusCode;
            context.Response.ContentType = answer.Content.Headers.ContentType?.ToString();
            foreach (var (name, values) in answer.Headers.Where(header => header.Key is "Location" or "Content-Security-Policy"))
                context.Response.Headers[name] = values.ToArray();
            if (answer.StatusCode != HttpStatusCode.NotModified)
                await answer.Content.CopyToAsync(context.Response.Body);
        });
        await proxy.StartAsync();
        return proxy;
    }
}
