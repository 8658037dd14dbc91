namespace MLExtensions.Examples.Serving.Http;

/// <summary>A request that is refused, with the status of the answer.</summary>
internal sealed class RequestException(int status, string message) : Exception(message)
{
    public int Status => status;

    public static RequestException Bad(string message) => new(400, message);

    public static RequestException NotFound(string message) => new(404, message);
}
