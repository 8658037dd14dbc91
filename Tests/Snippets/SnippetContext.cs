using Microsoft.Extensions.VectorData;

namespace MLExtensions.Snippets;

/// <summary>What the C# in the documentation takes for granted. A <see cref="Setup"/> fills it before a block is run.</summary>
internal abstract class SnippetContext
{
    internal static MLContext ml = new(1);
    internal static IDataView data = null!;
    internal static IDataView train = null!;
    internal static IDataView validation = null!;
    internal static IDataView test = null!;
    internal static float[] history = [];
    internal static IEstimator<ITransformer> pipeline = null!;
    internal static ITransformer model = null!;
    internal static string[] args = [];
    internal static float[] embedding = [];
    internal static float[] asked = [];
    internal static IDataView embedded = null!;
    internal static VectorStoreCollection<string, Person> people = null!;
    internal static Measurement measurement = new();
    private static Snippet? _current;
    private static bool _stops;

    /// <summary>Forgets what an earlier block had.</summary>
    internal static void Clear(Snippet? next = null)
    {
        (model as IDisposable)?.Dispose();
        people?.Dispose();
        (ml, _current, _stops) = (new MLContext(1), next, false);
        (data, train, validation, test, embedded) = (null!, null!, null!, null!, null!);
        (pipeline, model, people) = (null!, null!, null!);
        (args, history, embedding, asked) = ([], [], [], []);
    }

    /// <summary>
    /// Is called at the end of a block for each of its variables: what is computed only when it is asked for is asked for, and what was not fitted is.
    /// </summary>
    protected static void Use(string name, object? value)
    {
        switch (value)
        {
            case IDataView view:
                Read(view);
                break;
            case IEnumerable<object> values:
                _ = values.Count();
                break;
            case GanOptions options when !_current!.Code.Contains($"({name})"):
                Use(name, ml.GenerativeModels.Trainers.Dcgan((DcganEstimator.Options)options));
                break;
            case IEstimator<ITransformer> estimator when !_current!.Code.Contains($"{name}.Fit("):
                Fit(estimator);
                break;
        }
    }

    /// <summary>Cancels a training after its first epoch.</summary>
    internal static void StopAfterFirstEpoch()
    {
        ml.Log += (_, e) =>
        {
            if (e.Message.Contains("epoch 1", StringComparison.Ordinal))
                throw new OperationCanceledException("The first epoch was run.");
        };
        _stops = true;
    }

    private static void Fit(IEstimator<ITransformer> estimator)
    {
        try
        {
            var fitted = estimator.Fit(train);
            Read(fitted.Transform(train));
            (fitted as IDisposable)?.Dispose();
        }
        catch (OperationCanceledException) when (_stops)
        {
        }
    }

    private static void Read(IDataView view) => view.Preview(maxRows: 10);

    internal sealed class Person
    {
        [VectorStoreKey]
        public string Name { get; set; } = "";

        [VectorStoreVector(128)]
        public float[] Embedding { get; set; } = [];
    }

    internal sealed class House
    {
        [VectorType(8)]
        public float[] Features { get; set; } = new float[8];
    }

    internal sealed class Row
    {
        [VectorType(784)]
        public float[] Features { get; set; } = new float[784];
    }

    internal sealed class Photo
    {
        public float[] Image { get; set; } = [];
    }

    internal sealed class Price
    {
        public float Score { get; set; }
    }

    internal sealed class Measurement
    {
        public float[] Features { get; set; } = new float[64];
    }

    internal sealed class Answer
    {
        public uint PredictedLabel { get; set; }

        public float[] Score { get; set; } = [];
    }
}
