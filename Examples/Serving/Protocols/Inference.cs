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
    /// <param name="context">The request.</param>
    /// <param name="model">The model that it asks for.</param>
    /// <param name="isExact">Whether it asks for that version.</param>
    /// <param name="protocol">How it is written.</param>
    public async Task AnswerAsync(HttpContext context, LoadedModel model, bool isExact, IProtocol protocol)
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
        catch (InvalidOperationException e)
        {
            input.Return();
            throw RequestException.Bad($"A text in the body is not UTF-8: {e.Message}");
        }
        catch
        {
            input.Return();
            throw;
        }
        // If nobody waits for the answer any more, the model may still read the memory: then it is not given back.
        var answer = await AskAsync(model, isExact, columns, input.Rows, context.RequestAborted);
        input.Return();
        protocol.Write(context.Response, model, request, answer, input.Rows);
    }

    private async Task<IReadOnlyList<ColumnData>> AskAsync(LoadedModel model, bool isExact, ColumnData[] columns, int rows, CancellationToken cancellationToken)
    {
        try
        {
            return await model.Predictor.PredictColumnsAsync(columns, rows, cancellationToken);
        }
        catch (ObjectDisposedException) when (!isExact && folder.Find(model.Name) != model)
        {
            // The last version went away between finding and asking it.
            var other = folder.Find(model.Name) ?? throw RequestException.NotFound($"The model '{model.Name}' is no longer there.");
            return await other.Predictor.PredictColumnsAsync(columns, rows, cancellationToken);
        }
    }
}
