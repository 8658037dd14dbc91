using MLExtensions.Families.Reinforcement;

namespace MLExtensions;

/// <summary>
/// CartPole (Barto, Sutton and Anderson, 1983): a cart carries a pole that falls unless the cart is pushed. The same numbers as Gymnasium's
/// <c>CartPole-v1</c>; the episodes of that name end after 500 steps.
/// </summary>
/// <remarks>
/// Observations are the position of the cart, its velocity, the angle of the pole in radians, and its angular velocity. Action 0 pushes to
/// the left, 1 to the right. Each step gives 1, the last one too; the episode terminates when the cart is further than 2.4 from the middle or
/// the pole leans more than 12 degrees.
/// </remarks>
public sealed class CartPoleEnvironment : SimulatedEnvironment
{
    private const double Gravity = 9.8;
    private const double PoleMass = 0.1;
    private const double TotalMass = 1.1;
    private const double HalfLength = 0.5;
    private const double PoleMoment = PoleMass * HalfLength;
    private const double Force = 10;
    private const double Interval = 0.02;
    private const double FarthestPosition = 2.4;
    private const double LargestAngle = 12 * 2 * Math.PI / 360;
    private const double LargestStart = 0.05;

    private readonly float[] _observation = new float[4];
    private double _position;
    private double _velocity;
    private double _angle;
    private double _angularVelocity;

    /// <summary>Creates the environment, without a time limit; <c>EnvironmentRegistry.Make("CartPole-v1")</c> has one.</summary>
    public CartPoleEnvironment()
        : base("CartPole-v1", new BoxSpace([4], Bounds(-1), Bounds(1)), actions: 2)
    {
    }

    internal (double Position, double Velocity, double Angle, double AngularVelocity) State
    {
        get => (_position, _velocity, _angle, _angularVelocity);
        set
        {
            (_position, _velocity, _angle, _angularVelocity) = value;
            Run();
        }
    }

    /// <inheritdoc/>
    public override RgbFrame Render()
    {
        const int Width = 160, Height = 100, Ground = 80;
        const double Scale = Width / (2 * FarthestPosition);
        var canvas = new Canvas(Width, Height, Canvas.White);
        canvas.Rectangle(0, Ground, Width, 1, Canvas.Black);
        var x = (Width / 2) + (_position * Scale);
        canvas.Rectangle((int)x - 12, Ground - 8, 24, 12, Canvas.Black);
        canvas.Line(x, Ground - 8, x + (50 * Math.Sin(_angle)), Ground - 8 - (50 * Math.Cos(_angle)), 4, Canvas.Orange);
        canvas.Disc(x, Ground - 8, 2, Canvas.Blue);
        return canvas.ToFrame();
    }

    /// <inheritdoc/>
    public override string RenderText()
    {
        const int Width = 49;
        var place = Math.Clamp((int)Math.Round((_position + FarthestPosition) / (2 * FarthestPosition) * (Width - 1)), 0, Width - 1);
        var lean = _angle < -LargestAngle / 4 ? '\\' : _angle > LargestAngle / 4 ? '/' : '|';
        return new string(' ', place) + lean + "\n" + new string('-', place) + "#" + new string('-', Width - 1 - place)
            + FormattableString.Invariant($"\nposition {_position:F2}, angle {_angle * 180 / Math.PI:F1} degrees\n");
    }

    private protected override void Begin()
    {
        _position = Uniform(-LargestStart, LargestStart);
        _velocity = Uniform(-LargestStart, LargestStart);
        _angle = Uniform(-LargestStart, LargestStart);
        _angularVelocity = Uniform(-LargestStart, LargestStart);
    }

    private protected override (double Reward, bool Terminated) Act(int action)
    {
        var force = action == 1 ? Force : -Force;
        var (sine, cosine) = Math.SinCos(_angle);
        var common = (force + (PoleMoment * _angularVelocity * _angularVelocity * sine)) / TotalMass;
        var angularAcceleration = ((Gravity * sine) - (cosine * common)) / (HalfLength * ((4.0 / 3) - (PoleMass * cosine * cosine / TotalMass)));
        var acceleration = common - (PoleMoment * angularAcceleration * cosine / TotalMass);
        // Euler's method with the velocities before the step.
        _position += Interval * _velocity;
        _velocity += Interval * acceleration;
        _angle += Interval * _angularVelocity;
        _angularVelocity += Interval * angularAcceleration;
        return (1, Math.Abs(_position) > FarthestPosition || Math.Abs(_angle) > LargestAngle);
    }

    private protected override ReadOnlyMemory<float> Observe()
    {
        _observation[0] = (float)_position;
        _observation[1] = (float)_velocity;
        _observation[2] = (float)_angle;
        _observation[3] = (float)_angularVelocity;
        return _observation;
    }

    private protected override void SaveCore(BinaryWriter writer)
    {
        writer.Write(_position);
        writer.Write(_velocity);
        writer.Write(_angle);
        writer.Write(_angularVelocity);
    }

    private protected override void LoadCore(BinaryReader reader) =>
        (_position, _velocity, _angle, _angularVelocity) = (reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble());

    private static float[] Bounds(float sign) =>
        [sign * (float)(2 * FarthestPosition), sign * float.PositiveInfinity, sign * (float)(2 * LargestAngle), sign * float.PositiveInfinity];
}
