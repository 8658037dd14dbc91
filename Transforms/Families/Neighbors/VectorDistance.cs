namespace MLExtensions;

/// <summary>How far two vectors are from each other. The smaller, the nearer.</summary>
public enum VectorDistance
{
    /// <summary>1 minus the cosine of the angle, from 0 to 2. A vector of zeros has no angle and is refused.</summary>
    Cosine,

    /// <summary>The length of the difference.</summary>
    Euclidean,

    /// <summary>The square of the length of the difference. For vectors of length 1 it is twice the cosine distance.</summary>
    SquaredEuclidean,

    /// <summary>The dot product with its sign turned, so that vectors with a large product are near. It may be negative.</summary>
    DotProduct,
}
