using System.Reflection;
using System.Security.Cryptography;

namespace MLExtensions.Examples.Serving.Http;

/// <summary>The handwriting pad: a page of files in the program, which asks the server as any other client does.</summary>
internal static class PadFiles
{
    /// <summary>Where the page is. Its own addresses are relative, so that it works behind a proxy that puts it elsewhere.</summary>
    public const string Path = "/pad/";

    /// <summary>The page loads nothing from elsewhere, asks nobody else, and is shown in no other page.</summary>
    private const string Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private static readonly Dictionary<string, PadFile> Files = Assembly.GetExecutingAssembly().GetManifestResourceNames()
        .Where(name => name.StartsWith(Path[1..], StringComparison.Ordinal))
        .ToDictionary(name => "/" + name, Read, StringComparer.Ordinal);

    /// <summary>Whether an address is one of the page's, or would be with a slash behind it.</summary>
    public static bool Has(string path) => path.StartsWith(Path, StringComparison.Ordinal) || path == Path[..^1];

    /// <summary>Answers with a file of the page. It holds no secret, so that nobody needs a key for it.</summary>
    /// <exception cref="RequestException">There is no such file.</exception>
    public static Task WriteAsync(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        var path = request.Path.Value!;
        if (path == Path[..^1])
        {
            response.StatusCode = StatusCodes.Status308PermanentRedirect;
            response.Headers.Location = Path[1..]; // relative: the proxy's part before it stays
            return Task.CompletedTask;
        }
        if (!Files.TryGetValue(path == Path ? Path + "index.html" : path, out var file))
            throw RequestException.NotFound($"There is nothing at {path}. The handwriting pad is at {Path}.");
        response.Headers.ContentSecurityPolicy = Policy;
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers["Referrer-Policy"] = "no-referrer";
        response.Headers.CacheControl = "no-cache";
        response.Headers.ETag = file.Tag;
        if (request.Headers.IfNoneMatch == file.Tag)
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }
        response.ContentType = file.Type;
        response.ContentLength = file.Bytes.Length;
        return HttpMethods.IsHead(request.Method) ? Task.CompletedTask : response.Body.WriteAsync(file.Bytes, context.RequestAborted).AsTask();
    }

    private static PadFile Read(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name)!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return new PadFile(bytes, TypeOf(System.IO.Path.GetExtension(name)), $"\"{Convert.ToHexString(SHA256.HashData(bytes))[..16]}\"");
    }

    private static string TypeOf(string extension) => extension switch
    {
        ".html" => "text/html; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".svg" => "image/svg+xml",
        _ => throw new NotSupportedException($"The pad has a file *{extension}, whose media type is not known here."),
    };

    private sealed record PadFile(ReadOnlyMemory<byte> Bytes, string Type, string Tag);
}
