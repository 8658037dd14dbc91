using Microsoft.Extensions.VectorData;

namespace MLExtensions.Tests.Snippets;

/// <summary>What the C# in the documentation takes for granted.</summary>
internal abstract class SnippetContext
{
    protected static readonly MLContext ml = new();
    protected static readonly IDataView data = null!;
    protected static readonly IDataView train = null!;
    protected static readonly IDataView validation = null!;
    protected static readonly IDataView test = null!;
    protected static readonly float[] history = [];
    protected static readonly IEstimator<ITransformer> pipeline = null!;
    protected static readonly ITransformer model = null!;
    protected static readonly string[] args = [];
    protected static readonly float[] embedding = [];
    protected static readonly float[] asked = [];
    protected static readonly IDataView embedded = null!;
    protected static readonly VectorStoreCollection<string, Person> people = null!;

    protected sealed class Person
    {
        [VectorStoreKey]
        public string Name { get; set; } = "";

        [VectorStoreVector(128)]
        public float[] Embedding { get; set; } = [];
    }

    protected sealed class House
    {
        public float Features { get; set; }
    }

    protected sealed class Row
    {
        public float[] Features { get; set; } = [];
    }

    protected sealed class Photo
    {
        public float[] Image { get; set; } = [];
    }

    protected sealed class Price
    {
        public float Score { get; set; }
    }
}
