using MLExtensions.Examples.Serving.Http;
using MLExtensions.Examples.Serving.Json;
using MLExtensions.Examples.Serving.Models;

namespace MLExtensions.Examples.Serving.Protocols;

/// <summary>How a protocol writes requests and answers.</summary>
internal interface IProtocol
{
    /// <summary>Reads a request.</summary>
    /// <param name="body">The JSON.</param>
    /// <param name="input">Takes the columns.</param>
    /// <returns>What the answer needs to know of the request.</returns>
    object? Read(ReadOnlySpan<byte> body, InferenceInput input);

    /// <summary>Writes an answer.</summary>
    void Write(HttpResponse response, LoadedModel model, object? request, IReadOnlyList<ColumnData> columns, int rows);
}

/// <summary>Asks models.</summary>
internal sealed class Inference(ServerOptions options, ModelFolder folder)
{
    /// <summary>Answers a request.</summary>
    public async Task AnswerAsync(HttpContext context, LoadedModel model, IProtocol protocol)
    {
        var input = new InferenceInput(model.Predictor.Inputs);
        object? request;
        ColumnData[] columns;
        try
        {
            using var body = await RequestBody.ReadAsync(context.Request, options.BodyLimit);
            request = protocol.Read(body.Bytes, input);
            columns = input.Build();
        }
        catch
        {
            input.Return();
            throw;
        }
        // If nobody waits for the answer any more, the model may still read the memory: then it is not given back.
        var answer = await AskAsync(model, columns, input.Rows, context.RequestAborted);
        input.Return();
        protocol.Write(context.Response, model, request, answer, input.Rows);
    }

    private async Task<IReadOnlyList<ColumnData>> AskAsync(LoadedModel model, ColumnData[] columns, int rows, CancellationToken cancellationToken)
    {
        try
        {
            return await model.Predictor.PredictAsync(columns, rows, cancellationToken);
        }
        catch (ObjectDisposedException) when (folder.Find(model.Name) is { } other && other != model)
        {
            // The version went away between finding and asking it, and nobody asked for it by number only.
            return await other.Predictor.PredictAsync(columns, rows, cancellationToken);
        }
    }
}
